import { expect, test } from "vitest";
import { told } from "@/pages/events/past";
import { jsonLines, Sieve } from "@/pages/events/sieve";
import { scopesOf } from "@/pages/settings/scopes";
import type { Event } from "@/stream/wire";
import { placeOf } from "@/ui/rows";

const NONE = { type: "", thread: "", text: "" };

function event(seq: number): Event {
  const type = seq % 2 ? "tool.started" : "message.created";
  const thread_id = seq % 3 ? "thr_a" : "thr_b";
  const rest = { turn_id: null, step_id: null, actor: null, data: { text: `Word ${seq}` } };
  return { seq, type, thread_id, time: "2026-01-01T00:00:00Z", ...rest };
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, at) => event(first + at));
const seqs = (events: Event[]) => events.map((one) => one.seq);

test("by type, thread and text, whatever the case", () => {
  const events = upTo(12);
  expect(seqs(new Sieve().of(events, { ...NONE, type: "tool." }))).toEqual([1, 3, 5, 7, 9, 11]);
  const both = { type: "tool", thread: "thr_b", text: "" };
  expect(seqs(new Sieve().of(events, both))).toEqual([3, 9]);
  expect(seqs(new Sieve().of(events, { ...NONE, text: "wORD 12" }))).toEqual([12]);
});

test("a sieve that goes on has the same as one that begins anew", () => {
  const sieve = new Sieve();
  const filter = { ...NONE, type: "tool" };
  sieve.of(upTo(10), filter);
  expect(seqs(sieve.of(upTo(14, 4), filter))).toEqual([5, 7, 9, 11, 13]);
  const same = sieve.of(upTo(14, 4), filter);
  expect(sieve.of(upTo(14, 4), filter)).toBe(same);
  expect(seqs(sieve.of(upTo(14, 4), NONE))).toEqual(seqs(upTo(14, 4)));
  expect(seqs(sieve.of(upTo(3), NONE))).toEqual([1, 2, 3]);
});

test("places and lines", () => {
  expect(placeOf(upTo(9, 5), 7)).toBe(2);
  expect(placeOf(upTo(9, 5), 1)).toBe(0);
  expect(placeOf(upTo(9, 5), 99)).toBe(5);
  expect(
    jsonLines(upTo(2))
      .split("\n")
      .map((line) => JSON.parse(line).seq),
  ).toEqual([1, 2]);
});

test("scopes are no more than was chosen", () => {
  expect(scopesOf("write", { memory: "read" })).toEqual(["write"]);
  expect(scopesOf("", { memory: "read", git: "write", files: "" })).toEqual([
    "git:write",
    "memory:read",
  ]);
  expect(scopesOf("read", { memory: "read", git: "write" })).toEqual(["read", "git:write"]);
  expect(scopesOf("", {})).toEqual([]);
});

test("an event from before is the first that the stream sends behind the one before it", () => {
  const frame = (seq: number) => ({ kind: "event", event: event(seq) }) as const;
  const ping = { kind: "ping" } as const;
  expect(told([ping, frame(7), frame(8)], 7)).toEqual(event(7));
  expect(told([ping], 7)).toBeUndefined();
  expect(told([frame(9)], 7)).toBeNull();
  expect(told([{ kind: "reset", seq: 40 }, frame(41)], 7)).toBeNull();
});
