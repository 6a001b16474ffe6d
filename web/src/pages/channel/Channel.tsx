import { useLocation, useNavigate } from "@tanstack/react-router";
import { ArrowDownToLine, ScrollText } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import type { SubAgent } from "@/stream";
import { Button, EmptyState, ProblemNote, placeOf, SkeletonList } from "@/ui";
import { copyTold } from "../events/Raw";
import { Filters } from "./Filters";
import { LogList } from "./LogList";
import type { Line } from "./lines";
import { type Filter, shownOf } from "./log";
import { useLog } from "./useLog";

const ALL: Filter = { kind: "", text: "" };

/** The log of a sub-agent. It follows the newest line until one scrolls up or opens a link. */
export function Channel({ agent }: { agent: SubAgent }) {
  const hash = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  const { log, lines, loading, problem, retry } = useLog(agent);
  const [filter, setFilter] = useState(ALL);
  const [follow, setFollow] = useState(!hash);
  // The newest line when following ended: those behind it are new.
  const [left, setLeft] = useState<number | null>(null);
  const shown = useMemo(() => shownOf(lines, filter), [lines, filter]);
  const marked = hash ? log.at(hash) : null;
  const link = (next: string) => navigate({ to: ".", hash: next, replace: true });
  const onFollow = (next: boolean) => {
    if (next === follow) return;
    setFollow(next);
    if (next && hash) link("");
  };
  const last = lines.at(-1)?.seq ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the last line of that moment
  useEffect(() => {
    setLeft(follow || loading ? null : last);
  }, [follow, loading]);
  useEffect(() => {
    if (!hash) return;
    setFollow(false);
    setFilter(ALL);
  }, [hash]);
  const copy = (line: Line) => {
    const id = line.messageId ?? `e${line.seq}`;
    copyTold(`${location.origin}${location.pathname}#${id}`, "Link");
    link(id);
  };
  const came = left === null ? 0 : shown.length - placeOf(shown, left + 1);
  return (
    <>
      <Filters filter={filter} onChange={setFilter} />
      {problem && (
        <div className="p-3">
          <ProblemNote error={problem} retry={retry} />
        </div>
      )}
      {hash && !loading && !marked && (
        <p role="status" className="bg-warn-soft px-4 py-1.5 text-sm text-warn">
          There is no line {hash} in this channel; it may be older than what is kept.
        </p>
      )}
      <div className="relative flex min-h-0 flex-1 flex-col">
        {loading && <SkeletonList label="Loading the log" />}
        {!loading && !shown.length && (
          <EmptyState
            icon={<ScrollText />}
            title={lines.length ? "No line is like that" : "Empty"}
          />
        )}
        {shown.length > 0 && (
          <LogList
            lines={shown}
            marked={marked?.seq ?? null}
            follow={follow}
            onFollow={onFollow}
            onLink={copy}
          />
        )}
        {!follow && shown.length > 0 && <FollowButton came={came} onClick={() => onFollow(true)} />}
      </div>
    </>
  );
}

function FollowButton({ came, onClick }: { came: number; onClick: () => void }) {
  return (
    <Button
      size="sm"
      onClick={onClick}
      className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-raised"
    >
      <ArrowDownToLine aria-hidden className="size-4" /> Follow
      {came > 0 && <span>{`${came} new ${came === 1 ? "line" : "lines"}`}</span>}
    </Button>
  );
}
