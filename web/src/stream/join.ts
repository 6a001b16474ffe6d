/** Snapshots into the view, each joined at the event it stands for. */
import type {
  AgentView,
  DecisionView,
  MessageView,
  SubAgentView,
  ThreadView,
  TurnBrief,
} from "@/api";
import { Edit } from "./edit";
import { newService } from "./parts/services";
import { newSubAgent } from "./parts/subAgents";
import { closeCallsOf, request } from "./parts/tools";
import {
  type Decision,
  ENDED,
  type Message,
  type Service,
  type SubAgent,
  type Thread,
  type Turn,
  type View,
} from "./view";

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
    const { id, kind, title, created_at: createdAt, last_at: lastAt } = one;
    const archived = one.archived_at !== null;
    all[id] ??= { ...NOTHING, id, kind, title, archived, createdAt, lastAt };
    const thread = edit.at(all, id) as Thread;
    Object.assign(thread, { kind, createdAt, subAgentId: one.sub_agent_id });
    if (Date.parse(lastAt) > Date.parse(thread.lastAt)) thread.lastAt = lastAt;
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

/** `at`: its place in its thread, where that is known better than by `seq`. */
function joinDecision(edit: Edit, one: DecisionView, seq: number, at = seq): void {
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
    at: Math.min(known?.at ?? at, at),
  };
  all[one.id] = decision;
}

/**
 * Messages of a thread as they stood at the event `seq`, where the ones before them are, and what
 * became of the turns they belong to.
 */
export interface MessagesRead {
  read: MessageView[];
  turns: TurnBrief[];
  decisions: DecisionView[];
  seq: number;
  older: string | null;
}

/**
 * The newest messages of a thread, or the page before those that are there: all pages of one list
 * stand for the same event, and what is behind it came by the stream.
 */
export function joinMessages(view: View, threadId: string, page: MessagesRead): View {
  const edit = new Edit(view);
  const talk = edit.conversation(threadId);
  const here = talk.joined === null ? behind(talk.messages, page.seq) : talk.messages;
  const gone = new Set([...talk.withdrawn, ...here.map((one) => one.id)]);
  const read = page.read.filter((one) => !gone.has(one.id)).map(toMessage);
  for (const message of [...read, ...here]) {
    for (const block of message.content) request(edit, message, threadId, block);
  }
  for (const one of page.turns) joinTurn(edit.turn(threadId, one.id), one, page.seq);
  for (const turn of Object.values(talk.turns)) {
    if (ENDED.has(turn.state)) closeCallsOf(edit, turn);
  }
  talk.messages = [...read, ...here].sort((a, b) => a.seq - b.seq);
  talk.joined ??= page.seq;
  talk.older = page.older;
  for (const one of page.decisions) {
    joinDecision(edit, one, page.seq, askedAt(talk.messages, one) ?? page.seq);
  }
  return edit.view;
}

function joinTurn(turn: Turn, one: TurnBrief, seq: number): void {
  if (turn.seq > seq) return;
  const { state, waiting, started_at: startedAt, finished_at: endedAt } = one;
  Object.assign(turn, { state, waiting, error: one.error as Turn["error"], endedAt, seq });
  turn.startedAt ??= startedAt;
}

/** Behind what had been said in its turn; no message tells of what is asked about a budget. */
function askedAt(messages: readonly Message[], one: DecisionView): number | undefined {
  const before = messages.findLast(
    ({ turnId, time }) => turnId === one.turn_id && Date.parse(time) <= Date.parse(one.created_at),
  );
  return before && before.seq + 0.5;
}

const behind = (messages: Message[], seq: number) => messages.filter((one) => one.seq > seq);

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
