/** A conversation in the order in which it is read. */
import { textOf, thoughtOf } from "./parts/messages";
import type { Conversation, Draft, Message, ToolCall, Turn } from "./view";

export type Entry =
  | { kind: "message"; key: string; at: number; message: Message }
  | { kind: "tool"; key: string; at: number; tool: ToolCall }
  | { kind: "end"; key: string; at: number; turn: Turn }
  | { kind: "draft"; key: string; at: number; draft: Draft };

/**
 * Messages with text or reasoning, tool calls where they were asked for, ends of turns that were not good, and
 * what is being written. What belongs to a turn stays together: a message that is queued comes
 * after all that is done about the one before.
 */
export function timeline(talk: Conversation): Entry[] {
  const entries: Entry[] = [];
  const begun = new Map<string, number>();
  const note = (turnId: string, at: number) =>
    begun.set(turnId, Math.min(at, begun.get(turnId) ?? at));
  for (const message of talk.messages) {
    note(message.turnId, message.seq);
    const { content, role } = message;
    if (role === "user" || (role !== "tool" && (textOf(content) || thoughtOf(content)))) {
      entries.push({ kind: "message", key: message.id, at: message.seq, message });
    }
  }
  for (const tool of Object.values(talk.tools)) {
    note(tool.turnId, tool.at);
    entries.push({ kind: "tool", key: tool.key, at: tool.at, tool });
  }
  for (const turn of Object.values(talk.turns)) {
    if (turn.state === "failed" || turn.state === "cancelled") {
      entries.push({ kind: "end", key: `end ${turn.id}`, at: turn.seq, turn });
    }
  }
  for (const [key, draft] of Object.entries(talk.drafts)) {
    entries.push({ kind: "draft", key, at: Number.MAX_SAFE_INTEGER, draft });
  }
  const turnAt = (entry: Entry) => begun.get(turnOf(entry)) ?? entry.at;
  return entries.sort((a, b) => turnAt(a) - turnAt(b) || a.at - b.at);
}

function turnOf(entry: Entry): string {
  if (entry.kind === "message") return entry.message.turnId;
  if (entry.kind === "tool") return entry.tool.turnId;
  return entry.kind === "end" ? entry.turn.id : entry.draft.turnId;
}
