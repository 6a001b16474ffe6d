import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowDownToLine, Copy, Pause, Play, ScrollText } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { type Event, useView, type View } from "@/stream";
import {
  CliLine,
  cx,
  Dialog,
  EmptyState,
  IconButton,
  Page,
  placeOf,
  SkeletonList,
  useWide,
} from "@/ui";
import { curlLine } from "./curl";
import { EventRows } from "./EventRows";
import { Filters } from "./Filters";
import { useLinked } from "./past";
import { copyTold, Raw } from "./Raw";
import { type Filter, jsonLines, Sieve } from "./sieve";

const ALL = (view: View) => view.events;
const READY = (view: View) => view.ready;

export function EventsPage() {
  const { seq } = useSearch({ from: "/shell/app/events" });
  const navigate = useNavigate();
  const live = useView(ALL);
  const ready = useView(READY);
  const [held, setHeld] = useState<Event[] | null>(null);
  const [follow, setFollow] = useState(seq === undefined);
  const [filter, setFilter] = useState<Filter>({ type: "", thread: "", text: "" });
  const sieve = useRef(new Sieve());
  const now = sieve.current.of(live, filter);
  const frozen = useRef(new Sieve());
  const events = held ? frozen.current.of(held, filter) : now;
  const came = held ? now.length - placeOf(now, (held.at(-1)?.seq ?? 0) + 1) : 0;
  const roomy = useWide(1100);
  const found = seq === undefined ? undefined : live[placeOf(live, seq)];
  const here = found?.seq === seq ? found : undefined;
  const { event: chosen, words } = useLinked(seq, here, live.length);
  const curl = curlLine({ origin: location.origin, thread: filter.thread, from: seq });
  useEffect(() => {
    if (seq !== undefined) setFollow(false);
  }, [seq]);
  const select = (next: number | undefined) => {
    navigate({ to: "/app/events", search: next ? { seq: next } : {}, replace: true });
  };
  return (
    <Page
      title="Events"
      scroll="own"
      aside={roomy && chosen ? <Raw event={chosen} /> : undefined}
      asideLabel="Event"
      actions={
        <>
          <span role="status" className="text-muted text-sm">
            {held && `Paused, ${came} more`}
          </span>
          <IconButton
            label={held ? "Go on" : "Pause"}
            icon={held ? <Play /> : <Pause />}
            onClick={() => setHeld(held ? null : live)}
          />
          <IconButton
            label="Follow the newest"
            icon={<ArrowDownToLine />}
            aria-pressed={follow}
            className={cx(follow && "bg-accent-soft text-accent")}
            onClick={() => setFollow(!follow)}
          />
          <IconButton
            label="Copy all as JSON lines"
            icon={<Copy />}
            onClick={() => copyTold(jsonLines(events), `${events.length} events`)}
          />
        </>
      }
    >
      <Filters filter={filter} onChange={setFilter} events={live} />
      {words && (
        <p role="status" className="bg-warn-soft px-4 py-1.5 text-sm text-warn">
          {words}
        </p>
      )}
      {events.length ? (
        <EventRows
          events={events}
          selected={here?.seq ?? null}
          onSelect={select}
          follow={follow}
          onFollow={setFollow}
        />
      ) : !ready ? (
        <div className="flex-1 p-4">
          <SkeletonList />
        </div>
      ) : (
        <EmptyState icon={<ScrollText />} title={live.length ? "None is like that" : "No events"}>
          Everything that happens stands here, as it happens.
        </EmptyState>
      )}
      <div className="border-t p-2">
        <CliLine line={curl} />
      </div>
      {!roomy && chosen && (
        <Dialog
          side="right"
          open
          onOpenChange={(open) => open || select(undefined)}
          title={`Event ${chosen.seq}`}
        >
          <Raw event={chosen} />
        </Dialog>
      )}
    </Page>
  );
}
