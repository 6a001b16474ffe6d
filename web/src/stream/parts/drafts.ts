/** Deltas: a reply while it is written. Only a picture; the message that follows is the truth. */
import type { Edit } from "../edit";
import { type Conversation, type Draft, ENDED } from "../view";
import type { Delta } from "../wire";

export function drafted(edit: Edit, delta: Delta): void {
  const talk = edit.conversation(delta.thread_id);
  const turn = talk.turns[delta.turn_id];
  if (turn && (ENDED.has(turn.state) || turn.doneSteps.includes(delta.step_id))) return;
  const key = `${delta.step_id}/${delta.kind}`;
  const known = talk.drafts[key];
  if (known && delta.epoch < known.epoch) return;
  if (known && known.end > 0 && delta.offset === 0 && delta.epoch === known.epoch) {
    // Nothing is sent twice: the model was asked once more, and writes from the beginning.
    dropUntil(edit, talk, known, key);
    begin(edit, delta, key);
    return;
  }
  if (!known || delta.epoch > known.epoch) {
    // A successor writes the whole step anew, all kinds of it.
    for (const [other, draft] of Object.entries(talk.drafts)) {
      if (draft.stepId === delta.step_id && draft.epoch < delta.epoch) {
        delete edit.at(talk, "drafts")[other];
      }
    }
    begin(edit, delta, key);
    return;
  }
  const have = known.end - delta.offset;
  const size = length(delta.text);
  if (have >= size) return; // heard before
  if (have < 0) {
    begin(edit, delta, key); // a piece was lost; go on with what is there
    return;
  }
  const draft = edit.entry(edit.at(talk, "drafts"), key);
  if (!draft) return;
  draft.text += have ? Array.from(delta.text).slice(have).join("") : delta.text;
  draft.end = delta.offset + size;
}

/** Drafts of a step, up to this one: what was begun after it is of the new attempt already. */
function dropUntil(edit: Edit, talk: Conversation, { stepId }: Draft, last: string): void {
  for (const [key, draft] of Object.entries(talk.drafts)) {
    if (draft.stepId === stepId) delete edit.at(talk, "drafts")[key];
    if (key === last) return;
  }
}

function begin(edit: Edit, delta: Delta, key: string): void {
  edit.at(edit.conversation(delta.thread_id), "drafts")[key] = {
    stepId: delta.step_id,
    turnId: delta.turn_id,
    threadId: delta.thread_id,
    kind: delta.kind,
    epoch: delta.epoch,
    text: delta.text,
    start: delta.offset,
    end: delta.offset + length(delta.text),
  };
}

/** Characters as the server counts them: code points. */
function length(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
