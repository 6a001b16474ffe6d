import { type KeyboardEvent, useLayoutEffect, useMemo, useRef } from "react";
import type { Event } from "@/stream";
import { cx, placeOf, RowSpace, useSeen } from "@/ui";
import { familyOf, gist } from "./sieve";

const HIGH = 30;

const COLOURS: Record<string, string> = {
  message: "text-accent",
  turn: "text-info",
  tool: "text-warn",
  approval: "text-danger",
  question: "text-danger",
  budget: "text-danger",
  sub_agent: "text-info",
  service: "text-muted",
  memory: "text-accent",
};

/** Faint, but for the row that is chosen: its ground takes too much of the contrast. */
const QUIET = "shrink-0 text-faint group-aria-selected:text-muted";

interface Props {
  events: Event[];
  selected: number | null;
  onSelect: (seq: number) => void;
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

/** Only the rows that can be seen are there: the list may have ten thousand. */
export function EventRows({ events, selected, onSelect, follow, onFollow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const space = useMemo(() => new RowSpace(events.length, HIGH), [events.length]);
  const [top, height] = useSeen(box, { rows: events, space, follow, onFollow });
  const shownFor = useRef<number | null>(null);
  useLayoutEffect(() => {
    const view = box.current;
    if (!view || selected === null || follow || shownFor.current === selected) return;
    const at = placeOf(events, selected);
    if (events[at]?.seq !== selected) return; // it may still come, or is filtered out
    shownFor.current = selected;
    const above = at * HIGH - view.scrollTop;
    if (above < 0 || above + HIGH > view.clientHeight)
      view.scrollTop = at * HIGH - (view.clientHeight - HIGH) / 2;
  }, [events, selected, follow]);
  const [first, end] = space.seen(top, height);
  const shown = events.slice(first, end);
  const go = (to: number) => {
    const at = Math.max(0, Math.min(events.length - 1, to));
    const next = events[at];
    if (!next || !box.current) return;
    onSelect(next.seq);
    const view = box.current;
    if (at * HIGH < view.scrollTop) view.scrollTop = at * HIGH;
    else if ((at + 1) * HIGH > view.scrollTop + view.clientHeight)
      view.scrollTop = (at + 1) * HIGH - view.clientHeight;
  };
  const press = (event: KeyboardEvent) => {
    const at = selected === null ? events.length : placeOf(events, selected);
    const page = Math.floor(height / HIGH) - 1;
    const to = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: events.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  return (
    <div
      ref={box}
      role="listbox"
      tabIndex={0}
      aria-label="Events"
      aria-activedescendant={selected === null ? undefined : `event-${selected}`}
      onKeyDown={press}
      className="scroll-thin relative min-h-0 flex-1 overflow-auto font-mono text-xs -outline-offset-2"
    >
      <div style={{ height: events.length * HIGH }}>
        <div style={{ transform: `translateY(${first * HIGH}px)` }}>
          {shown.map((event, at) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
            <div
              key={event.seq}
              id={`event-${event.seq}`}
              role="option"
              tabIndex={-1}
              aria-selected={event.seq === selected}
              aria-setsize={events.length}
              aria-posinset={first + at + 1}
              onClick={() => onSelect(event.seq)}
              style={{ height: HIGH }}
              className={cx(
                "group flex cursor-pointer items-center gap-3 px-4 hover:bg-sunken max-md:gap-2 max-md:px-3",
                event.seq === selected &&
                  "bg-accent-soft shadow-[inset_3px_0_var(--accent)] hover:bg-accent-soft",
              )}
            >
              <span className={cx(QUIET, "w-12 text-right tabular-nums")}>{event.seq}</span>
              <span className={cx(QUIET, "max-md:hidden")}>{event.time.slice(11, 23)}</span>
              <span className={cx("w-44 shrink-0 truncate max-md:w-36", colourOf(event.type))}>
                {event.type}
              </span>
              <span className="truncate text-muted">{gist(event)}</span>
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function colourOf(type: string): string {
  return /\.(failed|unhealthy)$/.test(type) ? "text-danger" : (COLOURS[familyOf(type)] ?? "");
}
