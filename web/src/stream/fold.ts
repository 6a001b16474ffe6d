/** Events and deltas into the view state. Pure: the same events give the same view. */
import { Edit } from "./edit";
import * as decisions from "./parts/decisions";
import { drafted } from "./parts/drafts";
import * as messages from "./parts/messages";
import { changed, committed, timer, touch } from "./parts/rest";
import * as services from "./parts/services";
import * as subAgents from "./parts/subAgents";
import * as tools from "./parts/tools";
import * as turns from "./parts/turns";
import { emptyView, RING, type View } from "./view";
import type { Event, Frame } from "./wire";

type Part = (edit: Edit, event: Event) => void;

/** By noun; a whole type goes before its noun. */
const PARTS: Record<string, Part> = {
  "message.created": messages.created,
  "message.withdrawn": messages.withdrawn,
  turn: turns.told,
  tool: tools.told,
  approval: decisions.told,
  question: decisions.told,
  budget: decisions.told,
  sub_agent: subAgents.told,
  service: services.told,
  timer,
  "memory.committed": committed,
  thread: changed,
};

/** The view after one frame. */
export function fold(view: View, frame: Frame): View {
  return foldAll(view, [frame]);
}

/** The view after a batch, at the price of one copy of each part that changed. */
export function foldAll(view: View, frames: readonly Frame[]): View {
  let edit = new Edit(view);
  for (const frame of frames) {
    if (frame.kind === "delta") drafted(edit, frame.delta);
    else if (frame.kind === "reset") edit = new Edit(emptyView(frame.seq, edit.view.life + 1));
    else if (frame.kind === "event") apply(edit, frame.event);
  }
  const { events } = edit.view;
  if (events.length > RING) edit.view.events = events.slice(-RING);
  return edit.view;
}

function apply(edit: Edit, event: Event): void {
  if (event.seq <= edit.view.seq) return;
  touch(edit, event);
  const part = PARTS[event.type] ?? PARTS[event.type.split(".", 1)[0] ?? ""];
  part?.(edit, event); // a newer server may tell of more: it stands in the ring
}
