interface Followed {
  origin: string;
  /** One thread's events; else all of one's own. */
  thread: string;
  /** The first event to be told; else the oldest that is kept. */
  from: number | undefined;
}

/** The line that follows the same stream in a terminal; the key stays in its environment. */
export function curlLine({ origin, thread, from }: Followed): string {
  const stream = thread ? `threads/${encodeURIComponent(thread)}` : "actors/me";
  const after = from === undefined ? "" : `?after=${from - 1}`;
  const url = `${origin}/api/v1/${stream}/events${after}`;
  return `curl -N -H "Authorization: Bearer $GROWQR_KEY" "${url}"`;
}
