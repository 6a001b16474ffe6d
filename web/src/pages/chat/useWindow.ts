import { useState } from "react";
import type { Entry } from "@/stream";

const STEP = 60;

/** The newest entries, and as many before them as somebody has scrolled up for. */
export function useWindow(entries: readonly Entry[]) {
  const [from, setFrom] = useState<string | null>(null);
  const held = from === null ? -1 : entries.findIndex((entry) => entry.key === from);
  const start = held < 0 ? Math.max(0, entries.length - STEP) : held;
  return {
    shown: entries.slice(start),
    hidden: start,
    more: () => setFrom(entries[Math.max(0, start - STEP)]?.key ?? null),
    /** At the end it is small again; elsewhere what comes at the end takes nothing away above. */
    onEnd: (atEnd: boolean) => setFrom(atEnd ? null : (entries[start]?.key ?? null)),
  };
}
