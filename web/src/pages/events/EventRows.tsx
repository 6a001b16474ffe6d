import {
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Event } from "@/stream";
import { cx } from "@/ui";
import { familyOf, gist, placeOf } from "./sieve";

const HIGH = 30;
const SPARE = 8;

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
  const [top, height] = useSeen(box, events, follow, onFollow);
  const first = Math.max(0, Math.floor(top / HIGH) - SPARE);
  const shown = events.slice(first, Math.ceil((top + height) / HIGH) + SPARE);
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
                "flex cursor-pointer items-center gap-3 px-4 hover:bg-sunken max-md:gap-2 max-md:px-3",
                event.seq === selected && "bg-accent-soft hover:bg-accent-soft",
              )}
            >
              <span className="w-12 shrink-0 text-right text-faint tabular-nums">{event.seq}</span>
              <span className="shrink-0 text-faint max-md:hidden">{event.time.slice(11, 23)}</span>
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

/** How far it is scrolled and how high it is. It stays at the end, or at the row one reads. */
function useSeen(
  box: RefObject<HTMLDivElement | null>,
  events: Event[],
  follow: boolean,
  onFollow: (follow: boolean) => void,
): [number, number] {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const anchor = useRef<{ seq: number; rest: number } | null>(null);
  const rows = useRef(events);
  const tell = useRef(onFollow);
  tell.current = onFollow;
  useLayoutEffect(() => {
    rows.current = events;
    const view = box.current;
    if (!view) return;
    if (follow) view.scrollTop = view.scrollHeight;
    else if (anchor.current) {
      view.scrollTop = placeOf(events, anchor.current.seq) * HIGH + anchor.current.rest;
    }
    setTop(view.scrollTop);
  }, [box, events, follow]);
  useEffect(() => {
    const view = box.current;
    if (!view) return;
    let before = view.scrollTop;
    const look = () => {
      const now = view.scrollTop;
      const end = view.scrollHeight - now - view.clientHeight < HIGH;
      if (now < before && !end) tell.current(false);
      before = now;
      const event = rows.current[Math.floor(now / HIGH)];
      anchor.current = event ? { seq: event.seq, rest: now % HIGH } : null;
      setTop(now);
    };
    const size = new ResizeObserver(() => setHeight(view.clientHeight));
    size.observe(view);
    view.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      view.removeEventListener("scroll", look);
    };
  }, [box]);
  return [top, height];
}
