import { expect, test } from "vitest";
import { Parser } from "@/stream/parser";
import { type Sent, toFrame } from "@/stream/wire";

const TEXT =
  'retry: 2000\nid: 1\nevent: message.created\ndata: {"seq":1}\n\n' +
  ": a comment\r\nevent: ping\r\ndata: {}\r\n\r\n" +
  "data: one\ndata:two\ndata\n\nevent: empty\n\nid: 7\rdata: seven\r\r";

const SENT: Sent[] = [
  { id: "1", event: "message.created", data: '{"seq":1}' },
  { id: null, event: "ping", data: "{}" },
  { id: null, event: "message", data: "one\ntwo\n" },
  { id: "7", event: "message", data: "seven" },
];

test("events come out whole wherever the chunks are cut", () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const parser = new Parser();
    const found: Sent[] = [];
    for (let at = 0; at < TEXT.length; at += size) {
      found.push(...parser.push(TEXT.slice(at, at + size)));
    }
    expect(found, `chunks of ${size}`).toEqual(SENT);
  }
});

test("an event that was cut off by the end is none", () => {
  expect(new Parser().push("id: 1\ndata: half")).toEqual([]);
});

test("a byte order mark is no part of the first field", () => {
  expect(new Parser().push("\ufeffdata: x\n\n")).toHaveLength(1);
});

test("frames are told by the event's name", () => {
  const frame = (event: string, data: string) => toFrame({ id: null, event, data });
  expect(frame("reset", '{"seq":9}')).toEqual({ kind: "reset", seq: 9 });
  expect(frame("ping", "{}")).toEqual({ kind: "ping" });
  expect(frame("delta", '{"text":"x"}')).toMatchObject({ kind: "delta", delta: { text: "x" } });
  expect(frame("turn.started", '{"seq":3}')).toMatchObject({ kind: "event", event: { seq: 3 } });
  expect(frame("novelty", "{}")).toBeNull();
});
