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

/** Wakes the connection when network or person come back. Returns how to stop. */
export function watchBrowser(connection: Pick<Connection, "wake" | "lost">): () => void {
  const wake = () => connection.wake();
  const lost = () => connection.lost();
  const seen = () => document.visibilityState === "visible" && connection.wake();
  window.addEventListener("online", wake);
  window.addEventListener("offline", lost);
  window.addEventListener("pageshow", seen);
  document.addEventListener("visibilitychange", seen);
  return () => {
    window.removeEventListener("online", wake);
    window.removeEventListener("offline", lost);
    window.removeEventListener("pageshow", seen);
    document.removeEventListener("visibilitychange", seen);
  };
}
