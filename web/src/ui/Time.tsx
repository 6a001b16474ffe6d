import { useSyncExternalStore } from "react";
import { ago, elapsed } from "./times";

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(then: () => void): () => void {
  listeners.add(then);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const tell of listeners) tell();
  }, 1000);
  return () => {
    listeners.delete(then);
    if (!listeners.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time by a clock that ticks each second, one for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** "3 min ago", with the exact time as its title. */
export function Ago({ time }: { time: string }) {
  const at = Math.max(useNow(), Date.parse(time));
  return (
    <time dateTime={time} title={new Date(time).toLocaleString()}>
      {ago(time, at)}
    </time>
  );
}

/** How long something has run, or ran: "1 min 4 s". */
export function Elapsed({ since, until }: { since: string; until?: string | null }) {
  const at = useNow();
  return <span className="tabular-nums">{elapsed(since, until ? Date.parse(until) : at)}</span>;
}
