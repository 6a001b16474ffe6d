import { expect, test } from "vitest";
import { fold, foldAll } from "@/stream/fold";
import { openDecisions } from "@/stream/parts/decisions";
import { durationOf } from "@/stream/parts/tools";
import { timeline } from "@/stream/timeline";
import { emptyView, RING, type View } from "@/stream/view";
import { CHANNEL, delta, Journal, MASTER } from "./journal";

const talk = (view: View, id = MASTER) => {
  const found = view.conversations[id];
  if (!found) throw new Error(`no conversation ${id}`);
  return found;
};

/** A turn that calls a tool and is completed. */
function remembered(): Journal {
  const journal = new Journal();
  const call = { tool_use_id: "tu_1", name: "commit_memory" };
  const input = { path: "notes/tea.md", content: "Ann likes tea." };
  journal.user("remember that Ann likes tea");
  journal.started();
  journal.reply([{ type: "tool_use", id: "tu_1", name: "commit_memory", input }]);
  journal.add("tool.requested", { step_id: "stp_1", data: { ...call, input } });
  journal.add("tool.started", { step_id: "stp_t", data: { ...call, input, epoch: 1 } });
  journal.add("memory.committed", {
    thread_id: null,
    turn_id: null,
    data: { path: input.path, commit: "abc123", number: 1 },
  });
  journal.add("tool.completed", { step_id: "stp_t", data: { ...call, output: "saved" } });
  const told = [{ type: "tool_result", tool_use_id: "tu_1" }];
  const data = { message_id: "msg_t", role: "tool", content: told };
  journal.add("message.created", { data });
  journal.reply([{ type: "text", text: "I have noted it." }], { step_id: "stp_2" });
  journal.add("turn.completed", { data: { text: "I have noted it." } });
  return journal;
}

test("reasoning stands in the timeline also where nothing was said with it", () => {
  const journal = new Journal();
  journal.user("go");
  journal.reply([{ type: "thinking", thinking: "first this" }]);
  journal.reply([
    { type: "thinking", thinking: "then that" },
    { type: "text", text: "done" },
  ]);
  const kinds = timeline(talk(foldAll(emptyView(), journal.frames))).map((entry) => entry.kind);
  expect(kinds).toEqual(["message", "reasoning", "reasoning", "message"]);
});

test("a turn with a tool, from its message to its end", () => {
  const view = foldAll(emptyView(), remembered().frames);
  const { turns, tools } = talk(view);
  expect(turns.trn_1).toMatchObject({ state: "completed", epoch: 1, result: "I have noted it." });
  const tool = tools["trn_1/tu_1"];
  expect(tool).toMatchObject({ name: "commit_memory", state: "completed", output: "saved" });
  expect(tool && durationOf(tool)).toBe(2000);
  expect(timeline(talk(view)).map((entry) => entry.kind)).toEqual(["message", "tool", "message"]);
  expect(view.commits).toMatchObject([{ path: "notes/tea.md", commit: "abc123" }]);
  expect(view.threads[MASTER]).toMatchObject({ lastSeq: 10, preview: "I have noted it." });
});

test("a queued message comes after what is done about the one before", () => {
  const journal = new Journal();
  journal.user("one");
  journal.started();
  journal.user("two", { turn_id: "trn_2" });
  journal.reply([{ type: "text", text: "answer" }]);
  const view = foldAll(emptyView(), [...journal.frames, delta("more", 0, { step_id: "stp_2" })]);
  const order = timeline(talk(view)).map((entry) => entry.key);
  expect(order).toEqual(["msg_u0", "msg_a3", "stp_2/text", "msg_u2"]);
});

test("one by one, in batches or repeated: the same view", () => {
  const { frames } = remembered();
  const whole = foldAll(emptyView(), frames);
  expect(frames.reduce(fold, emptyView())).toEqual(whole);
  expect(frames.flatMap((frame) => [frame, frame]).reduce(fold, emptyView())).toEqual(whole);
  expect(foldAll(whole, frames)).toEqual(whole);
});

test("a view that was handed out never changes, and what is not concerned stays the same", () => {
  const journal = remembered();
  const before = foldAll(emptyView(), journal.frames.slice(0, 4));
  const copy = structuredClone(before);
  journal.user("other", { thread_id: CHANNEL, turn_id: "trn_9" });
  const after = foldAll(before, journal.frames.slice(-1));
  expect(before).toEqual(copy);
  expect(after.conversations[MASTER]).toBe(before.conversations[MASTER]);
});

test("an interrupted call is unknown, asked about, and made again", () => {
  const journal = new Journal();
  const call = { tool_use_id: "tu_1", name: "deploy" };
  journal.user("deploy");
  journal.started();
  journal.add("tool.started", { step_id: "stp_t", data: { ...call, input: {}, epoch: 1 } });
  journal.started(2);
  journal.add("tool.unknown", { step_id: "stp_t", data: { ...call, output: "outcome unknown" } });
  const asked = { reason: "unknown", name: "deploy", input: {}, text: "outcome unknown" };
  const expires_at = "2026-11-21T09:00:00Z";
  const data = { decision_id: "dec_1", asked, options: ["approve", "deny"], expires_at };
  journal.add("approval.requested", { step_id: "stp_t", data });
  journal.add("turn.waiting", { data: { waiting: "approval" } });
  let view = foldAll(emptyView(), journal.frames);
  expect(openDecisions(view)).toMatchObject([{ id: "dec_1", kind: "approval", asked }]);
  expect(talk(view).turns.trn_1).toMatchObject({ state: "waiting", waiting: "approval", epoch: 2 });
  expect(talk(view).tools["trn_1/tu_1"]?.state).toBe("unknown");
  const verdict = { decision_id: "dec_1", decision: "approved", answer: null, by: "u_owner" };
  journal.add("approval.resolved", { data: verdict });
  journal.started(3);
  journal.add("tool.started", { step_id: "stp_t", data: { ...call, input: {} } });
  view = foldAll(view, journal.frames);
  expect(openDecisions(view)).toEqual([]);
  expect(talk(view).tools["trn_1/tu_1"]).toMatchObject({ state: "started", attempts: 2 });
});

test("what a turn asked ends with it", () => {
  const journal = new Journal();
  journal.user("x");
  const asked = { text: "Which one?", tool_use_id: "tu_1" };
  journal.add("question.requested", { data: { decision_id: "dec_1", asked, options: ["a"] } });
  journal.add("turn.failed", { data: { error: { code: "deadline", message: "too long" } } });
  const view = foldAll(emptyView(), journal.frames);
  expect(view.decisions.dec_1?.state).toBe("closed");
  const end = timeline(talk(view)).at(-1);
  expect(end).toMatchObject({ kind: "end", turn: { error: { code: "deadline" } } });
});

test("a sub-agent from its birth to its end", () => {
  const journal = new Journal();
  const own = { thread_id: CHANNEL, turn_id: "trn_2", actor: "sub-agent:u_owner:coding-1" };
  const who = { sub_agent_id: "coding-1", type: "coding", channel_id: "ch-coding-1" };
  journal.add("sub_agent.spawned", { thread_id: CHANNEL, data: who });
  journal.user("count", own);
  journal.started(1, own);
  journal.add("sub_agent.started", { ...own, data: { epoch: 1 } });
  const begun = journal.add("sub_agent.started", { ...own, data: { epoch: 2 } }).seq - 1;
  journal.add("sub_agent.progress", { ...own, data: { text: "the server was lost" } });
  let view = foldAll(emptyView(), journal.frames);
  expect(view.subAgents["coding-1"]).toMatchObject({
    state: "working",
    turnId: "trn_2",
    progress: "the server was lost",
    parent: "grow-agent:u_owner",
    startedAt: view.events[begun - 1]?.time,
  });
  expect(view.threads[CHANNEL]).toMatchObject({ kind: "channel", title: "ch-coding-1" });
  journal.add("turn.failed", { ...own, data: { error: { code: "x", message: "no" } } });
  journal.add("sub_agent.failed", { ...own, data: { error: { code: "x", message: "no" } } });
  journal.add("sub_agent.stopped", { ...own, data: { sub_agent_id: "coding-1" } });
  view = foldAll(view, journal.frames);
  expect(view.subAgents["coding-1"]).toMatchObject({
    state: "stopped",
    outcome: "failed",
    error: "no",
  });
});

test("services say how they are and why", () => {
  const journal = new Journal();
  const add = (verb: string, data: object) =>
    journal.add(`service.${verb}`, {
      thread_id: null,
      turn_id: null,
      data: { role: "opencode", ...data },
    });
  add("starting", { generation: 1, reason: "fetching opencode" });
  add("ready", { generation: 1 });
  add("backoff", { generation: 1, reason: "exit 1", retry_in: 60 });
  add("decided", { decision: "restart", why: "work waits", by: "grow-agent:u_owner" });
  const { opencode } = foldAll(emptyView(), journal.frames).services;
  expect(opencode).toMatchObject({ state: "backoff", reason: "exit 1", generation: 1 });
  expect(opencode?.retryAt).toBe("2026-11-20T09:01:03.000Z");
  expect(opencode?.decision?.decision).toBe("restart");
  expect(opencode?.news.map((one) => one.state)).toEqual([
    "starting",
    "ready",
    "backoff",
    "decided",
  ]);
});

test("a withdrawn message is gone, timers come and go, unknown types only stand in the ring", () => {
  const journal = new Journal();
  journal.user("oops");
  const timer = { timer_id: "tmr_1", text: "stand up", due: "2026-11-20T10:00:00Z" };
  journal.add("timer.set", { data: timer });
  journal.add("novelty.happened");
  let view = foldAll(emptyView(), journal.frames);
  expect(view.timers.tmr_1?.text).toBe("stand up");
  journal.add("message.withdrawn", { data: { message_id: "msg_u0" } });
  journal.add("turn.cancelled");
  journal.add("timer.fired", { data: { timer_id: "tmr_1" } });
  view = foldAll(view, journal.frames);
  expect(talk(view).messages).toEqual([]);
  expect(view.timers).toEqual({});
  expect(view.events).toHaveLength(6);
});

test("a reset forgets everything and goes on behind its number", () => {
  const view = foldAll(emptyView(), remembered().frames);
  const after = fold(view, { kind: "reset", seq: 400 });
  expect(after).toEqual(emptyView(400, 1));
});

test("the ring is bounded, and 20,000 events are folded in no time", () => {
  const journal = new Journal();
  for (let n = 0; n < 20_000; n++) {
    journal.user("x", { turn_id: `trn_${n % 50}` });
  }
  const began = performance.now();
  let view = emptyView();
  for (let at = 0; at < 20_000; at += 100) {
    view = foldAll(view, journal.frames.slice(at, at + 100));
  }
  expect(view.events).toHaveLength(RING);
  expect(view.events.at(-1)?.seq).toBe(20_000);
  expect(performance.now() - began).toBeLessThan(4000); // 5,000 a second
});

test("drafts are of one epoch, and end with the message", () => {
  const journal = new Journal();
  journal.user("hello");
  journal.started();
  let view = foldAll(emptyView(), journal.frames);
  const text = () => Object.values(talk(view).drafts).map((draft) => draft.text);
  view = foldAll(view, [delta("Hel", 0), delta("lo 🌱", 3), delta("!", 7)]);
  expect(text()).toEqual(["Hello 🌱!"]); // 🌱 is one character to the server, two to us
  view = foldAll(view, [delta("o 🌱!", 4), delta("!", 7)]);
  expect(text()).toEqual(["Hello 🌱!"]);
  view = foldAll(view, [delta("hm", 0, { kind: "thinking" })]);
  expect(text()).toHaveLength(2);
  view = foldAll(view, [delta("New", 0, { epoch: 2 }), delta("late", 8)]);
  expect(text()).toEqual(["New"]);
  journal.reply([{ type: "text", text: "New reply" }]);
  view = foldAll(view, [...journal.frames, delta("late", 3, { epoch: 2 })]);
  expect(text()).toEqual([]);
});

test("an attempt that begins anew takes the place of what was cut off", () => {
  const drafts = (...frames: ReturnType<typeof delta>[]) =>
    Object.values(talk(foldAll(emptyView(), frames)).drafts).map(({ kind, text }) => [kind, text]);
  const thought = { kind: "thinking" };
  const cut = [delta("hm", 0, thought), delta("Once upon", 0), delta(" a ti", 9)];
  expect(drafts(...cut, delta("In", 0), delta(" the beginning", 2))).toEqual([
    ["text", "In the beginning"],
  ]);
  expect(drafts(...cut, delta("well", 0, thought), delta("In", 0))).toEqual([
    ["thinking", "well"],
    ["text", "In"],
  ]);
  expect(drafts(delta("Once", 0), delta("well", 0, thought), delta("In", 0))).toEqual([
    ["thinking", "well"],
    ["text", "In"],
  ]);
});

test.each(["cancelled", "failed"])("calls end with a turn that is %s", (verb) => {
  const journal = new Journal();
  const call = (id: string, name: string) => ({ data: { tool_use_id: id, name, input: {} } });
  journal.user("go");
  journal.started();
  journal.add("tool.started", call("a", "write"));
  journal.add("tool.completed", call("a", "write"));
  journal.add("tool.started", call("b", "bash"));
  journal.add("tool.requested", call("c", "read"));
  const other = { turn_id: "trn_2", ...call("d", "bash") };
  journal.add("tool.started", other);
  const { time } = journal.add(`turn.${verb}`);
  const { tools } = talk(foldAll(emptyView(), journal.frames));
  const cut = { state: "unknown", endedAt: time };
  expect(tools).toMatchObject({ "trn_1/b": cut, "trn_1/c": cut });
  expect(tools["trn_1/a"]?.state).toBe("completed");
  expect(tools["trn_2/d"]).toMatchObject({ state: "started", endedAt: null });
});

test("a draft whose piece was lost goes on with what is there", () => {
  const view = foldAll(emptyView(), [delta("one ", 0), delta("three", 8)]);
  expect(Object.values(talk(view).drafts)).toMatchObject([{ text: "three", start: 8 }]);
});

test("a draft goes with its turn", () => {
  const journal = new Journal();
  journal.user("x");
  let view = foldAll(emptyView(), [...journal.frames, delta("half", 0)]);
  journal.add("turn.cancelled");
  view = foldAll(view, [...journal.frames, delta(" late", 4)]);
  expect(talk(view).drafts).toEqual({});
});

test("a thread has another title, is put away and had back, and nothing else of it changes", () => {
  const journal = new Journal();
  journal.user("plan the trip");
  const told = (title: string, archived: boolean) =>
    journal.add("thread.changed", { turn_id: null, actor: "u_owner", data: { title, archived } });
  told("Trip to Oslo", false);
  told("Trip to Oslo", true);
  const away = foldAll(emptyView(), journal.frames);
  expect(away.threads[MASTER]).toMatchObject({
    title: "Trip to Oslo",
    archived: true,
    changedSeq: 3,
    preview: "plan the trip",
  });
  told("Trip to Oslo", false);
  const back = foldAll(away, journal.frames);
  expect(back.threads[MASTER]?.archived).toBe(false);
  expect(away.threads[MASTER]?.archived).toBe(true);
});
