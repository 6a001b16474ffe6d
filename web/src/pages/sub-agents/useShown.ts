import { type RefObject, useEffect, useState } from "react";

/** Whether it was seen once: what it needs is asked for then. */
export function useShown(element: RefObject<HTMLElement | null>): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (shown || !element.current) return;
    const watch = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) setShown(true);
    });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [element, shown]);
  return shown;
}
