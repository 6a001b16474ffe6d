/** turn.*: where everything done about a message stands. */
import type { Edit } from "../edit";
import { ENDED, type Turn, type TurnState } from "../view";
import type { Event } from "../wire";
import { closeOf } from "./decisions";
import { dropDrafts } from "./messages";
import { follow } from "./subAgents";
import { closeCallsOf } from "./tools";

export function told(edit: Edit, event: Event): void {
  const { thread_id: threadId, turn_id: turnId, data } = event;
  if (!threadId || !turnId) return;
  const turn = edit.turn(threadId, turnId);
  turn.seq = event.seq;
  const verb = event.type.slice("turn.".length);
  turn.state = (verb === "started" ? "running" : verb) as TurnState;
  turn.waiting = verb === "waiting" ? (data.waiting ?? null) : null;
  if (verb === "started") {
    turn.epoch = data.epoch ?? turn.epoch;
    turn.resumed = data.resumed ?? false;
    turn.startedAt ??= event.time;
  }
  if (ENDED.has(turn.state)) end(edit, turn, event);
  follow(edit, turn, event.time);
}

function end(edit: Edit, turn: Turn, event: Event): void {
  turn.endedAt = event.time;
  turn.error = event.data.error ?? null;
  turn.result = event.data.text ?? null;
  dropDrafts(edit, edit.conversation(turn.threadId), (draft) => draft.turnId === turn.id);
  closeOf(edit, turn.id, event.time);
  closeCallsOf(edit, turn);
}

/** Turns of a thread that have not ended, oldest first. */
export function openTurns(turns: Record<string, Turn>): Turn[] {
  return Object.values(turns).filter((turn) => !ENDED.has(turn.state));
}

/** The turn that is worked on, or else the next one of those that are queued. */
export function turnUnderWay(turns: Record<string, Turn>): Turn | undefined {
  const open = openTurns(turns);
  return open.find((one) => one.state !== "queued") ?? open[0];
}
