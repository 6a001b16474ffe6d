import { expect, test } from "vitest";
import { type Line, readable } from "@/pages/channel/lines";
import { Log, shownOf } from "@/pages/channel/log";
import type { Event } from "@/stream/wire";
import { Journal } from "../stream/journal";

/** A task from its order to its end, as a journal holds it. */
function task(): Event[] {
  const journal = new Journal();
  const who = { sub_agent_id: "coding-1", type: "coding", channel_id: "ch-coding-1" };
  const call = (id: string, name: string, more: object) => ({
    data: { tool_use_id: id, name, ...more },
  });
  journal.add("sub_agent.spawned", { data: who });
  journal.user("count\nto three");
  journal.started();
  journal.add("sub_agent.started", { data: { epoch: 1 } });
  journal.add("tool.started", call("a", "write", { input: { filePath: "a.py" } }));
  journal.add("tool.started", call("b", "bash", { input: { command: "python a.py" } }));
  journal.add("tool.completed", call("a", "write", { output: "Wrote it" }));
  journal.add("sub_agent.progress", { data: { text: "retries" } });
  journal.add("tool.failed", call("b", "bash", { output: "no python" }));
  journal.started(2);
  journal.reply([{ type: "text", text: "It failed." }]);
  journal.reply([{ type: "tool_use", id: "c", name: "x", input: {} }]);
  journal.add("turn.failed", { data: { error: { code: "deadline", message: "too long" } } });
  journal.add("sub_agent.failed", { data: { error: { code: "deadline", message: "too long" } } });
  return journal.frames.flatMap((frame) => (frame.kind === "event" ? [frame.event] : []));
}

const brief = (lines: Line[]) => lines.map((line) => `${line.seq} ${line.name}: ${line.text}`);

const WANT = [
  "1 State: Made, type coding",
  "2 You: count to three",
  "4 State: Started",
  "5 write: a.py",
  "6 bash: python a.py",
  "8 Progress: retries",
  "10 State: Lost and resumed, epoch 2",
  "11 Sub-agent: It failed.",
  "13 Error: too long (deadline)",
];

test("one line for each thing that happened", () => {
  const lines = new Log().of(task());
  expect(brief(lines)).toEqual(WANT);
  expect(lines[1]?.whole).toBe("count\nto three");
  expect(lines[3]).toMatchObject({ bad: false, call: { state: "completed", output: "Wrote it" } });
  expect(lines[4]).toMatchObject({ bad: true, call: { state: "failed", output: "no python" } });
});

test("wherever the journal and the stream meet, the lines are the same", () => {
  const events = task();
  for (let read = 0; read <= events.length; read++) {
    for (let live = 0; live <= read; live++) {
      const log = new Log();
      log.of(events.slice(0, read));
      expect(brief(log.of(events.slice(live))), `${live} to ${read}`).toEqual(WANT);
    }
  }
});

test("what did not change is the same list; what changed is another one", () => {
  const events = task();
  const log = new Log();
  const before = log.of(events.slice(0, 6));
  const call = before[3];
  expect(log.of(events.slice(0, 6))).toBe(before);
  expect(log.of(events.slice(0, 7))).not.toBe(before);
  expect(call?.call?.state).toBe("started");
});

test("a link means the line that an event or a message stands in", () => {
  const events = task();
  const log = new Log();
  log.of(events);
  const at = (hash: string) => log.at(hash)?.seq ?? null;
  expect([at("e5"), at("e7"), at("e9")]).toEqual([5, 5, 6]);
  expect([at("e3"), at("e14")], "events without a line").toEqual([2, 13]);
  expect(at(events[1]?.data.message_id)).toBe(2);
  expect([at("e99"), at("nothing"), at("")]).toEqual([null, null, null]);
});

test("by kind and by text, in what is folded away too", () => {
  const lines = new Log().of(task());
  const seqs = (kind: Parameters<typeof shownOf>[1]["kind"], text = "") =>
    shownOf(lines, { kind, text }).map((line) => line.seq);
  expect(shownOf(lines, { kind: "", text: " " })).toBe(lines);
  expect(seqs("tool")).toEqual([5, 6]);
  expect(seqs("error"), "a call that failed is an error").toEqual([6, 13]);
  expect(seqs("", "WROTE")).toEqual([5]);
  expect(seqs("message", "count")).toEqual([2]);
});

test("a call that was cut off with its turn runs no more", () => {
  const journal = new Journal();
  const call = (id: string) => ({ data: { tool_use_id: id, name: "bash", input: {} } });
  journal.started();
  journal.add("tool.started", call("a"));
  journal.add("tool.started", { turn_id: "trn_2", ...call("a") });
  const { time } = journal.add("turn.cancelled");
  const log = new Log();
  const lines = log.of(journal.frames.flatMap((one) => (one.kind === "event" ? [one.event] : [])));
  expect(lines[0]).toMatchObject({ bad: true, call: { state: "unknown", endedAt: time } });
  expect(lines[1]).toMatchObject({ bad: false, call: { state: "started", endedAt: null } });
});

test("values are told as one reads them", () => {
  expect(readable({ filePath: "a.py", content: "x\ny", n: 1 })).toBe(
    "filePath: a.py\ncontent:\nx\ny\nn: 1",
  );
  expect([readable(null), readable("a"), readable([1])]).toEqual(["", "a", "[\n  1\n]"]);
});
