import { type RefObject, useLayoutEffect, useState } from "react";

export const ROW = 22;
const BEYOND = 24;
const STEP = 12;

/** Which of `count` rows of ROW pixels are worth rendering in a box that scrolls. */
export function useRows(box: RefObject<HTMLElement | null>, count: number): [number, number] {
  const [place, setPlace] = useState({ top: 0, fit: 60 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const top = Math.floor(element.scrollTop / ROW / STEP) * STEP;
      const fit = Math.ceil(element.clientHeight / ROW);
      setPlace((was) => (was.top === top && was.fit === fit ? was : { top, fit }));
    };
    const size = new ResizeObserver(look);
    size.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      size.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  return shown(place.top, place.fit, count);
}

/** First row and the one behind the last, with some beyond what is seen. */
export function shown(top: number, fit: number, count: number): [number, number] {
  const end = Math.min(count, top + fit + STEP + BEYOND);
  return [Math.max(0, Math.min(top, count) - BEYOND), end];
}
