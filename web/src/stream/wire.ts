/** What comes over the wire: durable events, deltas, reset and ping. */

export interface Event {
  seq: number;
  type: string;
  time: string;
  thread_id: string | null;
  turn_id: string | null;
  step_id: string | null;
  actor: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: the journal's JSON, of every version there was
  data: Record<string, any>;
}

/** A piece of a reply being written. `offset` counts characters (code points), not UTF-16 units. */
export interface Delta {
  thread_id: string;
  turn_id: string;
  step_id: string;
  epoch: number;
  offset: number;
  text: string;
  kind: string;
}

export type Frame =
  | { kind: "event"; event: Event }
  | { kind: "delta"; delta: Delta }
  | { kind: "reset"; seq: number }
  | { kind: "ping" };

/** One server-sent event as its fields stood. */
export interface Sent {
  id: string | null;
  event: string;
  data: string;
}

/** The frame in it; null for what this page does not know. Throws SyntaxError for broken JSON. */
export function toFrame(sent: Sent): Frame | null {
  const content = JSON.parse(sent.data);
  if (sent.event === "ping") return { kind: "ping" };
  if (sent.event === "delta") return { kind: "delta", delta: content };
  if (sent.event === "reset") return { kind: "reset", seq: content.seq };
  return typeof content.seq === "number" ? { kind: "event", event: content } : null;
}
