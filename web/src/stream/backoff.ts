const FIRST = 0.5;
const LAST = 15;

/** Seconds until the next try: doubled each time, half of it by chance, 0.5 to 15. */
export function backoff(attempt: number, random: () => number): number {
  const most = Math.min(LAST, FIRST * 2 ** Math.min(attempt, 10));
  return Math.max(FIRST, most / 2 + (most / 2) * random());
}
