/** message.created, message.withdrawn: what was said in a thread. */
import type { Edit } from "../edit";
import type { Block, Conversation, Message } from "../view";
import type { Event } from "../wire";
import { follow } from "./subAgents";
import { request } from "./tools";

export function created(edit: Edit, event: Event): void {
  const { thread_id: threadId, turn_id: turnId, data } = event;
  if (!threadId || !turnId) return;
  const talk = edit.conversation(threadId);
  const message: Message = {
    id: data.message_id,
    seq: event.seq,
    turnId,
    stepId: event.step_id,
    role: data.role,
    content: data.content ?? [],
    time: event.time,
  };
  if (!talk.withdrawn.includes(message.id)) place(edit, talk, message);
  const turn = edit.turn(threadId, turnId);
  if (message.role === "user") {
    turn.queuedAt ??= event.time;
    follow(edit, turn, event.time);
  }
  if (message.role === "assistant" && event.step_id) {
    edit.at(turn, "doneSteps").push(event.step_id);
    dropDrafts(edit, talk, (draft) => draft.stepId === event.step_id);
  }
  for (const block of message.content) request(edit, message, threadId, block);
  const said = textOf(message.content);
  const thread = edit.entry(edit.at(edit.view, "threads"), threadId);
  if (thread && said && message.role !== "tool") thread.preview = said.slice(0, 140);
}

export function withdrawn(edit: Edit, event: Event): void {
  if (!event.thread_id) return;
  const talk = edit.conversation(event.thread_id);
  const id: string = event.data.message_id;
  edit.at(talk, "withdrawn").push(id);
  talk.messages = talk.messages.filter((message) => message.id !== id);
}

/** Into its place by number; one that is there already stays. */
export function place(edit: Edit, talk: Conversation, message: Message): void {
  const last = talk.messages.at(-1);
  if (last && last.seq >= message.seq) {
    if (talk.messages.some((one) => one.id === message.id)) return;
    const messages = edit.at(talk, "messages");
    messages.push(message);
    messages.sort((a, b) => a.seq - b.seq);
    return;
  }
  edit.at(talk, "messages").push(message);
}

export function dropDrafts(
  edit: Edit,
  talk: Conversation,
  which: (draft: Conversation["drafts"][string]) => boolean,
): void {
  for (const [key, draft] of Object.entries(talk.drafts)) {
    if (which(draft)) delete edit.at(talk, "drafts")[key];
  }
}

/** What the model thought before it answered. */
export function thoughtOf(content: Block[]): string {
  return content
    .flatMap((block) => (block.type === "thinking" ? [block.thinking ?? ""] : []))
    .join("\n\n");
}

/** The text of a message without tools and thinking. */
export function textOf(content: Block[]): string {
  return content.flatMap((block) => (block.type === "text" ? [block.text ?? ""] : [])).join("\n\n");
}
