/** What of the stream is the browser's: its frames, its network, whether anybody looks. */
import type { Connection } from "./connection";

export interface Browser {
  /** Calls `then` before the next paint, or soon where nothing is painted. */
  soon(then: () => void): void;
}

export const browser: Browser = {
  soon(then) {
    if (document.visibilityState === "visible") requestAnimationFrame(then);
    else setTimeout(then, 250);
  },
};

/** Seconds after which a page that nobody sees gives its connection up. */
export const UNSEEN = 60;

type Watched = Pick<Connection, "wake" | "lost" | "doze" | "look">;

/**
 * Wakes the connection when network or person come back, and lets it doze when nobody has looked
 * for a while. Returns how to stop.
 */
export function watchBrowser(connection: Watched): () => void {
  let unseen: ReturnType<typeof setTimeout> | undefined;
  const wake = () => connection.wake();
  const lost = () => connection.lost();
  const seen = () => {
    clearTimeout(unseen);
    if (document.visibilityState === "visible") connection.look();
    else unseen = setTimeout(() => connection.doze(), UNSEEN * 1000);
  };
  seen();
  window.addEventListener("online", wake);
  window.addEventListener("offline", lost);
  window.addEventListener("pageshow", seen);
  document.addEventListener("visibilitychange", seen);
  return () => {
    clearTimeout(unseen);
    window.removeEventListener("online", wake);
    window.removeEventListener("offline", lost);
    window.removeEventListener("pageshow", seen);
    document.removeEventListener("visibilitychange", seen);
  };
}
