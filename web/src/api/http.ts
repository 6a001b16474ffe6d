/**
 * `fetch` as the API wants it: cookies of this origin, an Idempotency-Key on every POST, and
 * another try for a GET that was told to come back later.
 */
import { newKey } from "./keys";

const TRIES = 3;
const LONGEST_WAIT = 10;

type Fetch = (request: Request) => Promise<Response>;

export function politeFetch(inner: Fetch, pause: (ms: number) => Promise<void>): Fetch {
  return async (request) => {
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", newKey());
    }
    for (let tried = 1; ; tried++) {
      const answer = await inner(request.method === "GET" ? request.clone() : request);
      const later = answer.status === 503 || answer.status === 429;
      if (request.method !== "GET" || !later || tried === TRIES) return answer;
      await pause(retryAfter(answer) * 1000);
    }
  };
}

/** Seconds of `Retry-After`; 2 where it says nothing. */
export function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0.2), LONGEST_WAIT) : 2;
}

/** When `Retry-After` lets one try again, ms since 1970; it gives seconds or a date. */
export function retryAt(answer: Response): number | null {
  const told = answer.headers.get("Retry-After");
  if (!told) return null;
  const seconds = Number(told);
  const at = Number.isFinite(seconds) ? Date.now() + seconds * 1000 : Date.parse(told);
  return Number.isNaN(at) ? null : at;
}
