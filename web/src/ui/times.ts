/** Times and amounts in words. */

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
];

/** "just now", "3 min ago", "2 d ago". */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  for (const [size, unit] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return "just now";
}

/** From `since` until `now` in ms: "850 ms" is "0 s", "1 min 4 s", "2 h 5 min". */
export function elapsed(since: string, now: number): string {
  return duration(Math.max(0, now - Date.parse(since)), true);
}

/** A length of time in ms: "340 ms", "1.2 s", "1 min 4 s". `whole`: in full seconds. */
export function duration(ms: number, whole = false): string {
  if (ms < 1000 && !whole) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return whole ? `${seconds} s` : `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** 1234 → "1.2k". */
export function count(amount: number): string {
  if (amount < 1000) return String(amount);
  if (amount < 1_000_000) return `${(amount / 1000).toFixed(amount < 10_000 ? 1 : 0)}k`;
  return `${(amount / 1_000_000).toFixed(1)}M`;
}

/** Millionths of a dollar: "$1.20"; small amounts with four places, "$0.0042". */
export function dollars(micro: number): string {
  const amount = micro / 1_000_000;
  return `$${amount.toFixed(amount && amount < 0.1 ? 4 : 2)}`;
}
