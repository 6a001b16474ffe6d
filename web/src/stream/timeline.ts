/** A conversation in the order in which it is read. */
import { textOf } from "./parts/messages";
import type { Conversation, Draft, Message, ToolCall, Turn } from "./view";

export type Entry =
  | { kind: "message"; key: string; at: number; message: Message }
  | { kind: "tool"; key: string; at: number; tool: ToolCall }
  | { kind: "end"; key: string; at: number; turn: Turn }
  | { kind: "draft"; key: string; at: number; draft: Draft };

/**
 * Messages with text, tool calls where they were asked for, ends of turns that were not good,
 * and last what is being written.
 */
export function timeline(talk: Conversation): Entry[] {
  const entries: Entry[] = [];
  for (const message of talk.messages) {
    if (message.role !== "tool" && (textOf(message.content) || message.role === "user")) {
      entries.push({ kind: "message", key: message.id, at: message.seq, message });
    }
  }
  for (const tool of Object.values(talk.tools)) {
    entries.push({ kind: "tool", key: tool.key, at: tool.at, tool });
  }
  for (const turn of Object.values(talk.turns)) {
    if (turn.state === "failed" || turn.state === "cancelled") {
      entries.push({ kind: "end", key: `end ${turn.id}`, at: turn.seq, turn });
    }
  }
  entries.sort((a, b) => a.at - b.at);
  for (const [key, draft] of Object.entries(talk.drafts)) {
    entries.push({ kind: "draft", key, at: Number.POSITIVE_INFINITY, draft });
  }
  return entries;
}
