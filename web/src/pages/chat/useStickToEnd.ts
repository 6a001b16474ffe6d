import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

const NEAR = 80;

/** Keeps a scrolled box at its end while it grows, unless somebody has scrolled up. */
export function useStickToEnd(grows: unknown): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const { scrollHeight, scrollTop, clientHeight } = element;
      atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
    };
    const follow = () => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    };
    const size = new ResizeObserver(follow);
    size.observe(element); // a banner or a longer draft takes room from it
    if (element.firstElementChild) size.observe(element.firstElementChild);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs when that grows
  useLayoutEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [grows]);
  return box;
}
