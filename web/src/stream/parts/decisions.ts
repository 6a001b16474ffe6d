/** approval.*, question.*, budget.*: what waits for a person. */
import type { Edit } from "../edit";
import type { Decision, DecisionKind, View } from "../view";
import type { Event } from "../wire";

export function told(edit: Edit, event: Event): void {
  const [kind, verb] = event.type.split(".") as [DecisionKind, string];
  const { data, thread_id: threadId, turn_id: turnId } = event;
  if (!data.decision_id || !threadId || !turnId) return;
  const all = edit.at(edit.view, "decisions");
  const known = edit.entry(all, data.decision_id);
  if (verb === "resolved") {
    if (!known) return; // asked before what this page has seen
    known.state = data.decision;
    known.answer = data.answer ?? null;
    known.answeredBy = data.by ?? null;
    known.answeredAt = event.time;
    known.seq = event.seq;
  } else if (known) {
    known.at = Math.min(known.at, event.seq); // the snapshot knew it, but not since when
  } else {
    all[data.decision_id] = asked(kind, event, threadId, turnId);
  }
}

function asked(kind: DecisionKind, event: Event, threadId: string, turnId: string): Decision {
  const { data } = event;
  return {
    id: data.decision_id,
    kind,
    threadId,
    turnId,
    stepId: event.step_id,
    asked: data.asked ?? {},
    options: data.options ?? [],
    state: "open",
    answer: null,
    answeredBy: null,
    createdAt: event.time,
    expiresAt: data.expires_at ?? null,
    answeredAt: null,
    seq: event.seq,
    at: event.seq,
  };
}

/** With its turn ends what it asked; no event of its own says so. */
export function closeOf(edit: Edit, turnId: string, time: string): void {
  for (const [id, one] of Object.entries(edit.view.decisions)) {
    if (one.turnId !== turnId || one.state !== "open") continue;
    const decision = edit.at(edit.at(edit.view, "decisions"), id) as Decision;
    decision.state = "closed";
    decision.answeredAt = time;
  }
}

/** What is open, the oldest first. */
export function openDecisions(view: View): Decision[] {
  return Object.values(view.decisions)
    .filter((one) => one.state === "open")
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}
