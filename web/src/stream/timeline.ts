/** A conversation in the order in which it is read. */
import { textOf, thoughtOf } from "./parts/messages";
import type { Conversation, Decision, Draft, Message, ToolCall, Turn } from "./view";

interface Place {
  key: string;
  turnId: string;
  at: number;
}

export type Entry = Place &
  (
    | { kind: "message"; message: Message }
    | { kind: "reasoning"; text: string; live: boolean }
    | { kind: "tool"; tool: ToolCall }
    | { kind: "decision"; decision: Decision }
    | { kind: "end"; turn: Turn; again: string | null }
    | { kind: "draft"; draft: Draft }
  );

const LAST = Number.MAX_SAFE_INTEGER;

/**
 * Messages with text, reasoning before its answer, tool calls and decisions where they were asked
 * for, ends of turns that were not good, and what is being written. What belongs to a turn stays
 * together: a message that is queued comes after all that is done about the one before.
 */
export function timeline(talk: Conversation, decisions: readonly Decision[] = []): Entry[] {
  const first = talk.older ? (talk.messages[0]?.seq ?? LAST) : 0;
  const begun = new Map<string, number>();
  const note = ({ turnId, at }: Place) => begun.set(turnId, Math.min(at, begun.get(turnId) ?? at));
  for (const one of talk.messages) note({ key: one.id, turnId: one.turnId, at: one.seq });
  const entries = [...talk.messages.flatMap(saidIn), ...calledIn(talk), ...decisions.map(askedIn)]
    .filter((entry) => entry.at >= first || waits(entry)) // the rest comes with its messages
    .concat(Object.values(talk.drafts).map((draft) => writtenIn(draft, talk)));
  for (const entry of entries) note(entry);
  entries.push(...endsIn(talk).filter((entry) => begun.has(entry.turnId)));
  const turnAt = (entry: Entry) => begun.get(entry.turnId) ?? entry.at;
  return entries.sort((a, b) => turnAt(a) - turnAt(b) || a.at - b.at);
}

function saidIn(message: Message): Entry[] {
  const { id, turnId, seq } = message;
  if (message.role === "tool") return [];
  const said: Entry[] = [];
  const thought = thoughtOf(message.content);
  if (thought) {
    const key = thoughtKey(message.stepId ?? id);
    said.push({ kind: "reasoning", key, turnId, at: seq - 0.5, text: thought, live: false });
  }
  if (message.role === "user" || textOf(message.content)) {
    said.push({ kind: "message", key: id, turnId, at: seq, message });
  }
  return said;
}

function calledIn(talk: Conversation): Entry[] {
  return Object.values(talk.tools)
    .filter((tool) => tool.name) // its call is in a message that is not there yet
    .map((tool) => ({ kind: "tool", key: tool.key, turnId: tool.turnId, at: tool.at, tool }));
}

function askedIn(decision: Decision): Entry {
  const { id, turnId, at } = decision;
  return { kind: "decision", key: id, turnId, at, decision };
}

/** A turn stands still until it is decided: it is shown whatever was said since. */
function waits(entry: Entry): boolean {
  return entry.kind === "decision" && entry.decision.state === "open";
}

/** A draft of reasoning and the message's block of it are one entry: what is opened stays so. */
function writtenIn(draft: Draft, talk: Conversation): Entry {
  const { stepId, turnId } = draft;
  if (draft.kind !== "thinking") {
    return { kind: "draft", key: `${stepId}/${draft.kind}`, turnId, at: LAST, draft };
  }
  const live = !talk.drafts[`${stepId}/text`];
  const text = (draft.start > 0 ? "… " : "") + draft.text;
  return { kind: "reasoning", key: thoughtKey(stepId), turnId, at: LAST - 1, text, live };
}

const thoughtKey = (step: string) => `${step}/thinking`;

/** Turns that failed or were stopped; `again`: what was said, unless it was said again since. */
function endsIn(talk: Conversation): Entry[] {
  return Object.values(talk.turns)
    .filter((turn) => turn.state === "failed" || turn.state === "cancelled")
    .map((turn) => {
      const again = unrepeated(talk.messages, turn.id);
      return { kind: "end", key: `end ${turn.id}`, turnId: turn.id, at: turn.seq, turn, again };
    });
}

function unrepeated(messages: readonly Message[], turnId: string): string | null {
  const at = messages.findIndex((one) => one.turnId === turnId && one.role === "user");
  const asked = messages[at];
  if (!asked) return null;
  const text = textOf(asked.content);
  const since = messages.slice(at + 1);
  return since.some((one) => one.role === "user" && textOf(one.content) === text) ? null : text;
}
