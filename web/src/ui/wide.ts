import { useSyncExternalStore } from "react";

/** Whether the window is at least so many pixels wide. */
export function useWide(pixels: number): boolean {
  const query = `(min-width: ${pixels}px)`;
  return useSyncExternalStore(
    (then) => {
      const media = window.matchMedia(query);
      media.addEventListener("change", then);
      return () => media.removeEventListener("change", then);
    },
    () => window.matchMedia(query).matches,
  );
}
