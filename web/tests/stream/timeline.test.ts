import { expect, test } from "vitest";
import type { DecisionView, MessageView } from "@/api";
import { foldAll } from "@/stream/fold";
import { joinMessages } from "@/stream/join";
import { timeline } from "@/stream/timeline";
import { emptyConversation, emptyView, type View } from "@/stream/view";
import { delta, Journal, MASTER } from "./journal";

function kinds(view: View): string[] {
  const talk = view.conversations[MASTER] ?? emptyConversation(MASTER);
  return timeline(talk, Object.values(view.decisions)).map((entry) => entry.kind);
}

function entriesOf(view: View) {
  return timeline(view.conversations[MASTER] ?? emptyConversation(MASTER));
}

test("reasoning stands between question and answer, live first and then kept", () => {
  const journal = new Journal();
  journal.user("why?");
  journal.started();
  const thinks = foldAll(emptyView(), [...journal.frames, delta("Hm", 0, { kind: "thinking" })]);
  expect(entriesOf(thinks)[1]).toMatchObject({ kind: "reasoning", text: "Hm", live: true });
  const writes = foldAll(thinks, [delta("Because", 2)]);
  expect(kinds(writes)).toEqual(["message", "reasoning", "draft"]);
  expect(entriesOf(writes)[1]).toMatchObject({ live: false });
  journal.reply([
    { type: "thinking", thinking: "Hm" },
    { type: "text", text: "Because" },
  ]);
  const done = foldAll(writes, journal.frames);
  expect(kinds(done)).toEqual(["message", "reasoning", "message"]);
  expect(entriesOf(done)[1]?.key).toBe(entriesOf(thinks)[1]?.key);
});

test("a decision stands where it was asked, before and after it is decided", () => {
  const journal = new Journal();
  journal.user("go");
  journal.started();
  journal.reply([{ type: "text", text: "May I?" }]);
  journal.add("question.requested", { data: { decision_id: "dec_1", asked: { text: "Blue?" } } });
  journal.user("next", { turn_id: "trn_2" });
  const open = foldAll(emptyView(), journal.frames);
  expect(kinds(open)).toEqual(["message", "message", "decision", "message"]);
  const said = { decision_id: "dec_1", decision: "answered", answer: "yes", by: "u_owner" };
  journal.add("question.resolved", { data: said });
  journal.reply([{ type: "text", text: "Thanks" }]);
  const decided = foldAll(open, journal.frames);
  expect(kinds(decided)).toEqual(["message", "message", "decision", "message", "message"]);
});

test("what failed can be asked again until it was", () => {
  const journal = new Journal();
  journal.user("tea");
  journal.add("turn.failed", { data: { error: { code: "model", message: "gone" } } });
  const failed = foldAll(emptyView(), journal.frames);
  expect(entriesOf(failed)[1]).toMatchObject({ kind: "end", again: "tea" });
  journal.user("tea", { turn_id: "trn_2" });
  const again = foldAll(failed, journal.frames);
  expect(entriesOf(again)[1]).toMatchObject({ kind: "end", again: null });
});

test("what is older than the first message that was read waits for its page", () => {
  const journal = new Journal();
  journal.user("old");
  journal.reply([{ type: "tool_use", id: "tu", name: "read_memory", input: {} }]);
  journal.add("tool.requested", { data: { tool_use_id: "tu", name: "read_memory", input: {} } });
  const one = (id: string, seq: number, role: string, turn_id: string, content: object[]) =>
    ({ id, seq, turn_id, role, content, created_at: "" }) as unknown as MessageView;
  const talk = [
    one("m1", 1, "user", "trn_1", [{ type: "text", text: "old" }]),
    one("m2", 2, "assistant", "trn_1", [
      { type: "tool_use", id: "tu", name: "read_memory", input: {} },
    ]),
    one("m3", 5, "tool", "trn_1", [{ type: "tool_result", tool_use_id: "tu", content: "x" }]),
    one("m4", 6, "user", "trn_2", [{ type: "text", text: "new" }]),
  ];
  const none = { turns: [], decisions: [] };
  const page = { ...none, read: talk.slice(2), seq: 9, older: "cursor" };
  for (const before of [emptyView(), foldAll(emptyView(), journal.frames)]) {
    const newest = joinMessages(before, MASTER, page);
    expect(kinds(newest)).toEqual(["message"]);
    const rest = { ...none, read: talk.slice(0, 2), seq: 9, older: null };
    expect(kinds(joinMessages(newest, MASTER, rest))).toEqual(["message", "tool", "message"]);
  }
});

test("what waits for a person is shown however much was said since", () => {
  const journal = new Journal();
  journal.user("go");
  journal.add("approval.requested", { data: { decision_id: "dec_1", asked: { name: "pay" } } });
  const part = { id: "m9", seq: 9, turn_id: "trn_2", role: "user", created_at: "" };
  const late = { ...part, content: [{ type: "text", text: "and?" }] } as unknown as MessageView;
  const read = { read: [late], turns: [], decisions: [], seq: 9, older: "cursor" };
  const open = joinMessages(foldAll(emptyView(), journal.frames), MASTER, read);
  expect(kinds(open)).toEqual(["decision", "message"]);
  journal.seq = 9;
  journal.add("approval.resolved", { data: { decision_id: "dec_1", decision: "denied" } });
  expect(kinds(foldAll(open, journal.frames.slice(-1)))).toEqual(["message"]);
});

test("a thread gets another title and is put away", () => {
  const journal = new Journal();
  journal.user("hi");
  journal.add("thread.changed", { turn_id: null, data: { title: "Tea", archived: true } });
  const view = foldAll(emptyView(), journal.frames);
  expect(view.threads[MASTER]).toMatchObject({ title: "Tea", archived: true });
});

test("how turns ended and what was decided is there without the events that told it", () => {
  const part = { created_at: "2026-11-20T08:00:00Z", content: [{ type: "text", text: "x" }] };
  const message = (id: string, seq: number, role: string, created_at: string) =>
    ({ ...part, id, seq, role, turn_id: "trn_1", created_at }) as unknown as MessageView;
  const decision = {
    id: "dec_1",
    kind: "question",
    thread_id: MASTER,
    turn_id: "trn_1",
    step_id: null,
    asked: { text: "May I?" },
    options: [],
    state: "answered",
    answer: "yes",
    answered_by: "u_owner",
    created_at: "2026-11-20T08:00:01.5Z",
    expires_at: "",
    answered_at: "2026-11-20T08:00:02Z",
  } as unknown as DecisionView;
  const page = {
    read: [
      message("m1", 1, "user", "2026-11-20T08:00:00Z"),
      message("m2", 5, "assistant", "2026-11-20T08:00:01Z"),
      message("m3", 9, "assistant", "2026-11-20T08:00:03Z"),
    ],
    turns: [
      {
        id: "trn_1",
        state: "failed" as const,
        waiting: null,
        started_at: null,
        error: { code: "deadline", message: "its time is over" },
        finished_at: null,
      },
    ],
    decisions: [decision],
    seq: 900,
    older: null,
  };
  const view = joinMessages(emptyView(900), MASTER, page);
  const { conversations, decisions } = view;
  const entries = timeline(
    conversations[MASTER] ?? emptyConversation(MASTER),
    Object.values(decisions),
  );
  expect(entries.map((entry) => entry.kind)).toEqual([
    "message",
    "message",
    "decision",
    "message",
    "end",
  ]);
  expect(entries[4]).toMatchObject({ turn: { error: { code: "deadline" } }, again: "x" });
  expect(entries[2]).toMatchObject({ decision: { state: "answered", answer: "yes" } });
});
