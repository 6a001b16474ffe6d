import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type Opened as OpenedRow, placeOf, RowSpace, useSeen } from "@/ui";
import { HIGH, LineRow } from "./LineRow";
import type { Line } from "./lines";
import { Opened } from "./Opened";

interface Props {
  lines: Line[];
  /** The line that a permalink means. */
  marked: number | null;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  onLink: (line: Line) => void;
}

/** Only the lines that can be seen are there: a channel may have ten thousand. */
export function LogList({ lines, marked, follow, onFollow, onLink }: Props) {
  const box = useRef<HTMLElement>(null);
  const [opened, setOpened] = useState<ReadonlyMap<number, number>>(new Map());
  const space = useMemo(() => spaceOf(lines, opened), [lines, opened]);
  const [top, height] = useSeen(box, { rows: lines, space, follow, onFollow });
  const [first, end] = space.seen(top, height);
  const measure = useCallback((seq: number, pixels: number) => {
    setOpened((before) => (before.get(seq) === pixels ? before : new Map(before).set(seq, pixels)));
  }, []);
  const fresh = useRef<number | null>(null);
  const toggle = (seq: number) => {
    const next = new Map(opened);
    if (!next.delete(seq)) {
      next.set(seq, 0);
      fresh.current = seq;
      onFollow(false); // who reads a line wants it to stay
    }
    setOpened(next);
  };
  useLayoutEffect(() => {
    const seq = fresh.current;
    if (!box.current || seq === null || !opened.get(seq)) return;
    fresh.current = null;
    showWhole(box.current, space, placeOf(lines, seq));
  }, [lines, opened, space]);
  const reached = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (!box.current || marked === null || reached.current === marked) return;
    const place = placeOf(lines, marked);
    if (lines[place]?.seq !== marked) return;
    reached.current = marked;
    goTo(box.current, space.topOf(place));
  }, [lines, marked, space]);
  return (
    <section
      ref={box}
      aria-label="Log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
      tabIndex={0}
      className="scroll-thin relative min-h-0 flex-1 overflow-y-auto overflow-x-hidden font-mono text-xs -outline-offset-2"
    >
      <div style={{ height: space.height }}>
        <ol style={{ transform: `translateY(${space.topOf(first)}px)` }}>
          {lines.slice(first, end).map((line, at) => (
            <li
              key={line.seq}
              aria-setsize={lines.length}
              aria-posinset={first + at + 1}
              aria-current={line.seq === marked || undefined}
              className={line.seq === marked ? "bg-accent-soft" : undefined}
            >
              <LineRow
                line={line}
                open={opened.has(line.seq)}
                onOpen={() => toggle(line.seq)}
                onLink={() => onLink(line)}
              />
              {opened.has(line.seq) && <Opened line={line} onHeight={measure} />}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

/** Scrolls to a line, unless it can be seen. */
function goTo(view: HTMLElement, top: number): void {
  const below = view.scrollTop + view.clientHeight - HIGH;
  if (top < view.scrollTop || top > below) view.scrollTop = top - view.clientHeight / 3;
}

/** Scrolls down as far as all of a row can be seen, but for what is higher than the box. */
function showWhole(view: HTMLElement, space: RowSpace, place: number): void {
  const end = space.topOf(place + 1) - view.clientHeight;
  if (end > view.scrollTop) view.scrollTop = Math.min(end, space.topOf(place));
}

function spaceOf(lines: Line[], opened: ReadonlyMap<number, number>): RowSpace {
  const rows: OpenedRow[] = [];
  for (const [seq, pixels] of opened) {
    const place = placeOf(lines, seq);
    if (lines[place]?.seq === seq) rows.push([place, pixels]);
  }
  rows.sort(([a], [b]) => a - b);
  return new RowSpace(lines.length, HIGH, rows);
}
