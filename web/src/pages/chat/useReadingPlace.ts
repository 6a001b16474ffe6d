import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR_END = 80;
const NEAR_TOP = 600;

interface Wishes {
  /** More is wanted above. */
  onTop: () => void;
  /** The end was reached, or left. */
  onEnd: (atEnd: boolean) => void;
}

interface Place {
  /** Put where it scrolls; its rows are the items of the list in it. */
  box: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  toEnd: () => void;
}

/**
 * Keeps a scrolled box at its end while it grows; or, where somebody has scrolled up, at the row
 * that is read, whatever is put before it or changes its height.
 */
export function useReadingPlace(rows: unknown, wishes: Wishes): Place {
  const box = useRef<HTMLDivElement>(null);
  const end = useRef(true);
  const anchor = useRef<{ row: Element; top: number } | null>(null);
  const [atEnd, setAtEnd] = useState(true);
  const wished = useRef(wishes);
  useLayoutEffect(() => {
    wished.current = wishes;
  });

  const keep = useCallback(() => {
    const view = box.current;
    const held = anchor.current;
    if (!view) return;
    if (end.current) view.scrollTop = view.scrollHeight;
    else if (held?.row.isConnected) view.scrollTop += topIn(view, held.row) - held.top;
    if (view.scrollTop < NEAR_TOP) wished.current.onTop();
  }, []);
  const turn = useCallback((next: boolean) => {
    if (end.current !== next) wished.current.onEnd(next);
    end.current = next;
    setAtEnd(next);
  }, []);
  const look = useCallback(() => {
    const view = box.current;
    if (!view) return;
    turn(view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END);
    const row = firstSeen(view);
    anchor.current = row && { row, top: topIn(view, row) };
    if (view.scrollTop < NEAR_TOP) wished.current.onTop();
  }, [turn]);
  const toEnd = useCallback(() => {
    turn(true);
    keep();
  }, [turn, keep]);

  useEffect(() => {
    const view = box.current;
    if (!view) return;
    const size = new ResizeObserver(keep);
    size.observe(view); // a banner or a longer draft takes room from it
    if (view.firstElementChild) size.observe(view.firstElementChild);
    view.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      view.removeEventListener("scroll", look);
    };
  }, [keep, look]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs when rows change
  useLayoutEffect(keep, [rows]);
  return { box, atEnd, toEnd };
}

function topIn(view: Element, row: Element): number {
  return row.getBoundingClientRect().top - view.getBoundingClientRect().top;
}

/** The first row of which something can be seen. */
function firstSeen(view: Element): Element | null {
  const rows = view.querySelector("ol")?.children;
  if (!rows?.length) return null;
  const top = view.getBoundingClientRect().top;
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) <= top) low = middle + 1;
    else high = middle;
  }
  return rows[low] ?? null;
}
