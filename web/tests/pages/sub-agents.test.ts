import { expect, test } from "vitest";
import type { TurnView } from "@/api";
import { makerOf, nameOf, treesOf } from "@/pages/sub-agents/tree";
import { taskOf } from "@/pages/sub-agents/useTask";
import { gistOf, progressOf } from "@/pages/sub-agents/words";
import { foldAll } from "@/stream/fold";
import { newSubAgent } from "@/stream/parts/subAgents";
import { emptyView, type SubAgent, type View } from "@/stream/view";
import { CHANNEL, Journal } from "../stream/journal";

function made(id: string, parent: string | null, part: Partial<SubAgent> = {}): SubAgent {
  return { ...newSubAgent(id, "coding", `thr_${id}`, "2026-11-20T09:00:00Z"), parent, ...part };
}

test("whom an actor's name means", () => {
  expect(nameOf(makerOf("grow-agent:u_owner"))).toBe("Grow Agent");
  expect(nameOf(makerOf("u_owner"))).toBe("you");
  expect(makerOf("sub-agent:u_owner:coding-1#2")).toEqual({ kind: "sub_agent", id: "coding-1" });
  expect(nameOf(makerOf(null))).toBe("nobody knows whom");
});

test("each stands below the one that made it, those that are stopped last", () => {
  const roots = treesOf([
    made("a", "u_owner"),
    made("b", "grow-agent:u_owner", { state: "stopped", createdAt: "2026-11-20T12:00:00Z" }),
    made("c", "grow-agent:u_owner"),
    made("d", "sub-agent:u_owner:c"),
    made("e", "grow-agent:u_owner", { createdAt: "2026-11-20T11:00:00Z" }),
    made("f", "sub-agent:u_owner:gone"),
    made("g", "sub-agent:u_owner:g"),
  ]);
  expect(roots.map((root) => nameOf(root.maker))).toEqual(["Grow Agent", "you", "gone", "g"]);
  expect(roots[0]?.made.map((branch) => branch.agent.id)).toEqual(["e", "c", "b"]);
  expect(roots[0]?.made[1]?.made.map((branch) => branch.agent.id)).toEqual(["d"]);
});

test("what it used is unknown until a call of a model is known", () => {
  const agent = made("a", null, { turnId: "trn_1", startedAt: "S", endedAt: "E" });
  expect(taskOf(agent, undefined)).toEqual({
    startedAt: "S",
    endedAt: "E",
    tokens: null,
    microUsd: null,
    outcome: null,
  });
  const usage = { calls: 2, input_tokens: 900, output_tokens: 100, micro_usd: 42 };
  const read = { usage, started_at: "s", finished_at: "e", result: "It\nis done" };
  const turn = read as unknown as TurnView;
  expect(taskOf(agent, turn)).toMatchObject({ tokens: 1000, microUsd: 42, outcome: "It is done" });
  expect(taskOf({ ...agent, startedAt: null, endedAt: null }, turn)).toMatchObject({
    startedAt: "s",
    endedAt: "e",
  });
});

test("a task that is queued has not the times of the one before", () => {
  const agent = made("a", null, { state: "working", startedAt: "S", endedAt: "E" });
  expect(taskOf(agent, undefined)).toMatchObject({ startedAt: null, endedAt: null });
});

test("what it does, in one line", () => {
  const journal = new Journal();
  const own = { thread_id: CHANNEL, turn_id: "trn_2", actor: "sub-agent:u_owner:coding-1" };
  const who = { sub_agent_id: "coding-1", type: "coding", channel_id: "ch-coding-1" };
  let view: View = emptyView();
  const now = () => {
    view = foldAll(view, journal.frames.splice(0));
    return progressOf(view, view.subAgents["coding-1"] as SubAgent);
  };
  journal.add("sub_agent.spawned", { ...own, turn_id: null, data: who });
  expect(now()).toBeNull();
  journal.user("count", own);
  expect(now()).toBe("Queued");
  journal.started(1, own);
  journal.add("sub_agent.started", { ...own, data: { epoch: 1 } });
  expect(now()).toBe("Working");
  const input = { command: "python3\n count.py", timeout: 9 };
  journal.add("tool.started", { ...own, data: { tool_use_id: "a", name: "bash", input } });
  expect(now()).toBe("bash python3 count.py");
  journal.add("turn.waiting", { ...own, data: { waiting: "budget" } });
  expect(now()).toBe("Waits for you to allow more");
  journal.started(1, own);
  journal.reply([{ type: "text", text: "It is\ndone." }], own);
  journal.add("turn.completed", { ...own, data: { text: "done" } });
  expect(now()).toBe("It is done.");
  const next = { ...own, turn_id: "trn_3" };
  journal.user("count again", next);
  journal.started(1, next);
  journal.user("and again", { ...own, turn_id: "trn_4" });
  now();
  expect(view.subAgents["coding-1"]?.turnId, "what is queued comes later").toBe("trn_3");
  journal.add("turn.cancelled", next);
  expect(now()).toBe("Cancelled");
});

test("the most telling part of an input", () => {
  expect(gistOf({ content: "x", filePath: "a.py" })).toBe("a.py");
  expect(gistOf({ n: 1 })).toBe('{"n":1}');
  expect([gistOf({}), gistOf(null), gistOf("plain")]).toEqual(["", "", "plain"]);
});
