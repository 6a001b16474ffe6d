import { expect, test } from "vitest";
import type { AgentView, DecisionView, MessageView, ThreadView } from "@/api";
import { foldAll } from "@/stream/fold";
import { addThreads, joinMessages, joinSnapshot, type MessagesRead } from "@/stream/join";
import { emptyView } from "@/stream/view";
import { CHANNEL, Journal, MASTER } from "./journal";

const AT = "2026-11-20T09:00:00Z";

function message(id: string, seq: number, content: object[], role = "user"): MessageView {
  const turn_id = "trn_1";
  return { id, seq, turn_id, role, content, created_at: AT } as unknown as MessageView;
}

function page(read: MessageView[], seq: number, older: string | null = null): MessagesRead {
  return { read, turns: [], decisions: [], seq, older };
}

function thread(id: string, kind: ThreadView["kind"], title: string): ThreadView {
  const unused = { archived_at: null, last_at: AT, origin: null, sub_agent_id: null };
  return { ...unused, id, kind, title, created_at: AT };
}

test("a snapshot of messages and the stream meet at its number", () => {
  const journal = new Journal();
  for (let n = 0; n < 6; n++) journal.user(`m${n}`);
  const ids = ["msg_u0", "msg_u1", "msg_u2", "msg_u3"];
  const read = ids.map((id, at) => message(id, at + 1, [{ type: "text", text: `m${at}` }]));
  const want = ["msg_u0", "msg_u1", "msg_u2", "msg_u3", "msg_u4", "msg_u5"];
  for (let folded = 0; folded <= 6; folded++) {
    const before = foldAll(emptyView(), journal.frames.slice(0, folded));
    const joined = joinMessages(before, MASTER, page(read, 4));
    const after = foldAll(joined, journal.frames);
    const talk = after.conversations[MASTER];
    expect(
      talk?.messages.map((one) => one.id),
      `${folded} before`,
    ).toEqual(want);
    expect(talk?.joined).toBe(4);
  }
});

test("pages from the newest to the oldest and the stream make one list, wherever they meet", () => {
  const journal = new Journal();
  for (let n = 0; n < 9; n++) journal.user(`m${n}`, { turn_id: `trn_${n}` });
  const all = Array.from({ length: 9 }, (_, n) => message(`msg_u${n}`, n + 1, [{ type: "text" }]));
  const want = all.map((one) => one.id);
  for (let stands = 3; stands <= 9; stands++) {
    for (let folded = 0; folded <= 9; folded++) {
      const parts = [all.slice(stands - 3, stands), all.slice(0, stands - 3)];
      let view = foldAll(emptyView(), journal.frames.slice(0, folded));
      view = joinMessages(view, MASTER, page(parts[0] ?? [], stands, "older"));
      expect(view.conversations[MASTER]?.older).toBe("older");
      view = foldAll(view, journal.frames.slice(0, 8)); // some of it comes while one scrolls up
      view = joinMessages(view, MASTER, page(parts[1] ?? [], stands));
      view = foldAll(view, journal.frames);
      const talk = view.conversations[MASTER];
      expect(
        talk?.messages.map((one) => one.id),
        `${stands}/${folded}`,
      ).toEqual(want);
      expect(talk).toMatchObject({ joined: stands, older: null });
    }
  }
});

test("a message withdrawn between two pages does not come back with the older one", () => {
  const journal = new Journal();
  journal.user("old");
  journal.user("new");
  journal.add("message.withdrawn", { data: { message_id: "msg_u0" } });
  let view = joinMessages(emptyView(), MASTER, page([message("msg_u1", 2, [])], 2, "older"));
  view = foldAll(view, journal.frames);
  view = joinMessages(view, MASTER, page([message("msg_u0", 1, [])], 2));
  expect(view.conversations[MASTER]?.messages.map((one) => one.id)).toEqual(["msg_u1"]);
});

test("an open decision of the snapshot has the place where the stream tells of it", () => {
  const journal = new Journal();
  journal.user("do it");
  const asked = { text: "May I?" };
  journal.add("approval.requested", { data: { decision_id: "dec_1", asked } });
  const parts = {
    ...{ id: "dec_1", kind: "approval", thread_id: MASTER, turn_id: "trn_1", step_id: null },
    ...{ asked, options: [], state: "open", answer: null, answered_by: null },
    ...{ created_at: AT, expires_at: AT, answered_at: null },
  };
  const decision = parts as unknown as DecisionView;
  const agent = { seq: 5, unfinished: [], stack: {} } as unknown as AgentView;
  const snapshot = { agent, threads: [], subAgents: [], decisions: [decision] };
  const view = joinSnapshot(emptyView(), snapshot);
  expect(view.decisions.dec_1).toMatchObject({ at: 5, state: "open" });
  journal.seq = 5;
  const said = { decision_id: "dec_1", decision: "denied", by: "u_owner", answer: "no" };
  journal.add("approval.resolved", { data: said });
  expect(foldAll(view, journal.frames).decisions.dec_1).toMatchObject({
    at: 2,
    state: "denied",
    answeredBy: "u_owner",
  });
});

test("what was withdrawn behind the snapshot stays away", () => {
  const journal = new Journal();
  journal.user("oops");
  journal.add("message.withdrawn", { data: { message_id: "msg_u0" } });
  const view = foldAll(emptyView(), journal.frames);
  const read = [message("msg_u0", 1, [{ type: "text", text: "oops" }])];
  expect(joinMessages(view, MASTER, page(read, 1)).conversations[MASTER]?.messages).toEqual([]);
});

test("calls of old messages are cards too", () => {
  const read = [
    message("m1", 1, [{ type: "tool_use", id: "tu", name: "read_memory", input: {} }], "assistant"),
    message("m2", 3, [{ type: "tool_result", tool_use_id: "tu", content: "tea" }], "tool"),
  ];
  const view = joinMessages(emptyView(), MASTER, page(read, 9));
  expect(view.conversations[MASTER]?.tools["trn_1/tu"]).toMatchObject({
    name: "read_memory",
    state: "completed",
    output: "tea",
  });
});

test("older events do not undo a newer snapshot", () => {
  const journal = new Journal();
  const place = { thread_id: null, turn_id: null };
  journal.add("service.starting", { ...place, data: { role: "opencode", generation: 1 } });
  const stack = {
    opencode: { state: "ready", desired: "ready", generation: 1, reason: null, retry_at: null },
    gitea: { state: "absent", desired: "stopped", generation: 0, reason: null, retry_at: null },
  };
  const agent = { seq: 5, unfinished: [], stack } as unknown as AgentView;
  const threads = [thread(MASTER, "master", "Master")];
  const view = joinSnapshot(emptyView(), { agent, threads, subAgents: [], decisions: [] });
  const after = foldAll(view, journal.frames);
  expect(after.services.opencode).toMatchObject({ state: "ready", news: [{ state: "starting" }] });
  expect(after.ready).toBe(true);
});

test("a sub-agent of the snapshot is found by its channel", () => {
  const agent = { seq: 0, unfinished: [], stack: {} } as unknown as AgentView;
  const threads = [thread(CHANNEL, "channel", "ch-1")];
  const subAgents = [
    {
      id: "coding-1",
      type: "coding",
      channel_id: "ch-1",
      thread_id: CHANNEL,
      state: "idle",
      created_at: AT,
      turn_id: "trn_9",
      parent: "u_owner",
    },
  ];
  const journal = new Journal();
  journal.started(1, { thread_id: CHANNEL, turn_id: "trn_2" });
  const view = joinSnapshot(emptyView(), { agent, threads, subAgents, decisions: [] });
  expect(view.subAgents["coding-1"]).toMatchObject({ turnId: "trn_9", parent: "u_owner" });
  expect(foldAll(view, journal.frames).subAgents["coding-1"]).toMatchObject({
    state: "working",
    turnId: "trn_2",
    parent: "u_owner",
  });
});

test("a list of threads and the stream agree, whichever comes late", () => {
  const journal = new Journal();
  const told = (title: string) =>
    journal.add("thread.changed", { data: { title, archived: true } });
  const read = (title: string): ThreadView[] => [
    { ...thread(MASTER, "thread", title), archived_at: AT },
  ];
  told("first");
  told("second");
  const listed = addThreads(emptyView(), read("second"), 2);
  expect(listed.threads[MASTER]).toMatchObject({ title: "second", archived: true });
  const replayed = foldAll(listed, journal.frames.slice(0, 1));
  expect(replayed.threads[MASTER]?.title).toBe("second");
  const whole = foldAll(listed, journal.frames);
  expect(addThreads(whole, read("first"), 1).threads[MASTER]?.title).toBe("second");
});

test("a new thread is there at once, named", () => {
  const journal = new Journal();
  journal.add("thread.created", { turn_id: null, data: { title: "Tea", origin: "api" } });
  const { threads } = foldAll(emptyView(), journal.frames);
  expect(threads[MASTER]).toMatchObject({ title: "Tea", archived: false });
});

test("a thread was used when something was said in it last", () => {
  const later = "2026-11-20T10:00:00Z";
  const read = { ...thread(MASTER, "thread", "Tea"), last_at: later };
  const old = addThreads(emptyView(), [thread(MASTER, "thread", "Tea")], 1);
  for (const view of [emptyView(), old]) {
    expect(addThreads(view, [read], 1).threads[MASTER]?.lastAt).toBe(later);
  }
});

test("a call whose turn has ended before its message was read runs no more", () => {
  const journal = new Journal();
  journal.seq = 2;
  const { time } = journal.add("turn.cancelled");
  const call = { type: "tool_use", id: "tu_1", name: "bash", input: {} };
  const read = [message("msg_1", 1, [{ type: "text", text: "go" }]), message("msg_2", 2, [call])];
  const view = joinMessages(foldAll(emptyView(2), journal.frames), MASTER, page(read, 3));
  const { tools } = view.conversations[MASTER] ?? {};
  expect(tools?.["trn_1/tu_1"]).toMatchObject({ state: "unknown", endedAt: time });
});
