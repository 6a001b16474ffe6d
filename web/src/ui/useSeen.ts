import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Numbered, placeOf, type RowSpace } from "./rows";

interface List {
  rows: readonly Numbered[];
  space: RowSpace;
  /** Whether it stays at its end; else it stays at the row one reads. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

/** How far a box of rows is scrolled and how high it is. Scrolling up ends following. */
export function useSeen(box: RefObject<HTMLElement | null>, list: List): [number, number] {
  const { rows, space, follow } = list;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const anchor = useRef<{ seq: number; rest: number } | null>(null);
  const now = useRef(list);
  useLayoutEffect(() => {
    now.current = list;
  });
  useLayoutEffect(() => {
    const view = box.current;
    if (!view) return;
    if (follow) view.scrollTop = view.scrollHeight;
    else if (anchor.current) {
      view.scrollTop = space.topOf(placeOf(rows, anchor.current.seq)) + anchor.current.rest;
    }
    setTop(view.scrollTop);
  }, [box, rows, space, follow]);
  useEffect(() => {
    const view = box.current;
    if (!view) return;
    let before = view.scrollTop;
    const look = () => {
      const at = view.scrollTop;
      const { rows, space, onFollow } = now.current;
      const end = view.scrollHeight - at - view.clientHeight < space.high;
      if (at < before && !end) onFollow(false);
      before = at;
      const place = space.placeAt(at);
      const row = rows[place];
      anchor.current = row ? { seq: row.seq, rest: at - space.topOf(place) } : null;
      setTop(at);
    };
    const size = new ResizeObserver(() => {
      setHeight(view.clientHeight);
      if (now.current.follow) view.scrollTop = view.scrollHeight;
    });
    size.observe(view);
    view.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      view.removeEventListener("scroll", look);
    };
  }, [box]);
  return [top, height];
}
