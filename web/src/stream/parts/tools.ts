/** tool.*: every call one card, from its request to its result. */
import type { Edit } from "../edit";
import type { Block, Message, ToolCall, ToolState, Turn } from "../view";
import type { Event } from "../wire";

const RANK: Record<ToolState, number> = {
  requested: 0,
  started: 1,
  unknown: 2,
  failed: 3,
  completed: 3,
};

export function told(edit: Edit, event: Event): void {
  const { thread_id: threadId, turn_id: turnId, data } = event;
  if (!threadId || !turnId || !data.tool_use_id) return;
  const talk = edit.conversation(threadId);
  const tools = edit.at(talk, "tools");
  const key = toolKey(turnId, data.tool_use_id);
  tools[key] ??= fresh(threadId, turnId, data.tool_use_id, event.seq, event.time);
  const tool = edit.at(tools, key) as ToolCall;
  const state = event.type.slice("tool.".length) as ToolState;
  tool.name = data.name ?? tool.name;
  tool.stepId = event.step_id ?? tool.stepId;
  if (data.input !== undefined) tool.input = data.input;
  if (state === "started") {
    tool.attempts += 1;
    tool.startedAt = event.time;
    tool.endedAt = null;
    tool.state = "started"; // once more, if somebody allowed it
  } else if (state === "requested") {
    tool.requestedAt = event.time;
  } else {
    tool.state = state;
    tool.output = data.output;
    tool.endedAt = event.time;
  }
}

/** A call or a result as a message's block tells it, where no event did. */
export function request(
  edit: Edit,
  message: Pick<Message, "seq" | "turnId" | "time">,
  threadId: string,
  block: Block,
): void {
  const id = block.type === "tool_use" ? block.id : block.tool_use_id;
  if (!id || (block.type !== "tool_use" && block.type !== "tool_result")) return;
  const tools = edit.at(edit.conversation(threadId), "tools");
  const key = toolKey(message.turnId, id);
  tools[key] ??= fresh(threadId, message.turnId, id, message.seq + 0.5, message.time);
  const tool = edit.at(tools, key) as ToolCall;
  if (block.type === "tool_use") {
    tool.name = block.name ?? tool.name;
    tool.input ??= block.input;
    tool.at = Math.min(tool.at, message.seq + 0.5); // its result may have been read before
  } else if (RANK[tool.state] < 3 && block.content !== undefined) {
    tool.state = block.is_error ? "failed" : "completed";
    tool.output ??= block.content;
    tool.endedAt ??= message.time;
  }
}

/** With its turn ends what it called: how a call without a result went, nobody knows. */
export function closeCallsOf(edit: Edit, turn: Turn): void {
  const talk = edit.conversation(turn.threadId);
  for (const [key, { turnId, state }] of Object.entries(talk.tools)) {
    if (turnId !== turn.id || (state !== "requested" && state !== "started")) continue;
    const tool = edit.at(edit.at(talk, "tools"), key) as ToolCall;
    tool.state = "unknown";
    tool.endedAt = turn.endedAt;
  }
}

export function toolKey(turnId: string, toolUseId: string): string {
  return `${turnId}/${toolUseId}`;
}

/** Milliseconds that a call took; null while it runs, or where nobody saw it begin. */
export function durationOf(tool: ToolCall): number | null {
  if (!tool.startedAt || !tool.endedAt) return null;
  return Math.max(0, Date.parse(tool.endedAt) - Date.parse(tool.startedAt));
}

function fresh(
  threadId: string,
  turnId: string,
  toolUseId: string,
  at: number,
  time: string,
): ToolCall {
  return {
    key: toolKey(turnId, toolUseId),
    toolUseId,
    threadId,
    turnId,
    stepId: null,
    name: "",
    input: undefined,
    output: undefined,
    state: "requested",
    attempts: 0,
    requestedAt: time,
    startedAt: null,
    endedAt: null,
    at,
  };
}
