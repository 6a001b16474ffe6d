/** Snapshots into the view, each joined at the event it stands for. */
import type { AgentView, DecisionView, MessageView, SubAgentView, ThreadView } from "@/api";
import { Edit } from "./edit";
import { place } from "./parts/messages";
import { newService } from "./parts/services";
import { newSubAgent } from "./parts/subAgents";
import { request } from "./parts/tools";
import type { Decision, Message, Service, SubAgent, Thread, View } from "./view";

export interface Snapshot {
  agent: AgentView;
  threads: ThreadView[];
  subAgents: SubAgentView[];
  decisions: DecisionView[];
}

/** What was read at the start or after a reset: all of it is as new as `agent.seq` at least. */
export function joinSnapshot(view: View, snapshot: Snapshot): View {
  const edit = new Edit(view);
  const { seq } = snapshot.agent;
  joinThreads(edit, snapshot.threads, seq);
  for (const one of snapshot.subAgents) joinSubAgent(edit, one, seq);
  for (const one of snapshot.decisions) joinDecision(edit, one, seq);
  for (const turn of snapshot.agent.unfinished) {
    const known = edit.turn(turn.thread_id, turn.id);
    if (known.seq <= seq) Object.assign(known, { state: turn.state, seq });
  }
  for (const [role, one] of Object.entries(snapshot.agent.stack)) {
    const all = edit.at(edit.view, "services");
    all[role] ??= newService(role);
    const service = edit.at(all, role) as Service;
    if (service.seq > seq) continue;
    const { state, reason, retry_at, generation } = one;
    Object.assign(service, { state, reason, retryAt: retry_at ?? null, generation, seq });
  }
  edit.view.ready = true;
  return edit.view;
}

/** Threads as they stood at `seq` at least; what the stream has told of them since stays. */
export function addThreads(view: View, threads: ThreadView[], seq: number): View {
  const edit = new Edit(view);
  joinThreads(edit, threads, seq);
  return edit.view;
}

function joinThreads(edit: Edit, threads: ThreadView[], seq: number): void {
  const all = edit.at(edit.view, "threads");
  for (const one of threads) {
    const { id, kind, title, created_at: createdAt } = one;
    const archived = one.archived_at !== null;
    all[id] ??= { ...NOTHING, id, kind, title, archived, createdAt, lastAt: createdAt };
    const thread = edit.at(all, id) as Thread;
    Object.assign(thread, { kind, createdAt });
    if (thread.changedSeq <= seq) Object.assign(thread, { title, archived, changedSeq: seq });
  }
}

const NOTHING = { changedSeq: 0, lastSeq: 0, preview: "", subAgentId: null };

function joinSubAgent(edit: Edit, one: SubAgentView, seq: number): void {
  const all = edit.at(edit.view, "subAgents");
  all[one.id] ??= newSubAgent(one.id, one.type, one.thread_id, one.created_at);
  const agent = edit.at(all, one.id) as SubAgent;
  agent.channelId = one.channel_id;
  agent.parent ??= one.parent;
  if (agent.seq <= seq) Object.assign(agent, { state: one.state, turnId: one.turn_id, seq });
  const thread = edit.entry(edit.at(edit.view, "threads"), one.thread_id);
  if (thread) thread.subAgentId = one.id;
}

function joinDecision(edit: Edit, one: DecisionView, seq: number): void {
  const all = edit.at(edit.view, "decisions");
  const known = all[one.id];
  if (known && known.seq > seq) return;
  const decision: Decision = {
    id: one.id,
    kind: one.kind,
    threadId: one.thread_id,
    turnId: one.turn_id,
    stepId: one.step_id,
    asked: one.asked,
    options: one.options,
    state: one.state,
    answer: one.answer,
    answeredBy: one.answered_by,
    createdAt: one.created_at,
    expiresAt: one.expires_at,
    answeredAt: one.answered_at,
    seq,
  };
  all[one.id] = decision;
}

/** All messages of a thread, as they stood at `seq`; later ones came by the stream. */
export function joinMessages(view: View, threadId: string, read: MessageView[], seq: number): View {
  const edit = new Edit(view);
  const talk = edit.conversation(threadId);
  const later = talk.messages.filter((message) => message.seq > seq);
  const gone = new Set(talk.withdrawn);
  talk.messages = read.filter((one) => !gone.has(one.id)).map(toMessage);
  edit.at(talk, "messages");
  for (const message of later) place(edit, talk, message);
  for (const message of talk.messages) {
    for (const block of message.content) request(edit, message, threadId, block);
  }
  talk.joined = seq;
  return edit.view;
}

function toMessage(one: MessageView): Message {
  return {
    id: one.id,
    seq: one.seq,
    turnId: one.turn_id,
    stepId: null,
    role: one.role,
    content: one.content as unknown as Message["content"],
    time: one.created_at,
  };
}
