/** The view state: what the events have told, as pages read it. Plain objects, never changed. */
import type { Event } from "./wire";

export type TurnState = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";
export type ToolState = "requested" | "started" | "completed" | "failed" | "unknown";
export type DecisionKind = "approval" | "question" | "budget";
export type SubAgentState = "idle" | "working" | "waiting" | "stopped";

/** One block of a message: text, thinking, tool_use, tool_result. */
export interface Block {
  type: string;
  text?: string;
  thinking?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: unknown;
  is_error?: boolean;
}

export interface Message {
  id: string;
  seq: number;
  turnId: string;
  stepId: string | null;
  role: "user" | "assistant" | "tool";
  content: Block[];
  time: string;
}

export interface Turn {
  id: string;
  threadId: string;
  state: TurnState;
  /** For whom it waits: sub_agent, approval, answer or budget. */
  waiting: string | null;
  error: { code: string; message: string } | null;
  result: string | null;
  epoch: number;
  resumed: boolean;
  queuedAt: string | null;
  startedAt: string | null;
  endedAt: string | null;
  /** Steps whose message is there: what still arrives of them as deltas is late. */
  doneSteps: string[];
  seq: number;
}

export interface ToolCall {
  /** `<turn>/<tool use>`: the model's ids are unique within a turn. */
  key: string;
  toolUseId: string;
  threadId: string;
  turnId: string;
  stepId: string | null;
  name: string;
  input: unknown;
  output: unknown;
  state: ToolState;
  /** How often it was begun: more than once after a crash. */
  attempts: number;
  requestedAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** Place in the thread: the number of the event that told of it first. */
  at: number;
}

export interface Draft {
  stepId: string;
  turnId: string;
  threadId: string;
  kind: string;
  epoch: number;
  text: string;
  /** Characters before `text`: more than 0 where the beginning was missed. */
  start: number;
  /** Characters up to its end. */
  end: number;
}

/** One thread with all that happened in it. */
export interface Conversation {
  threadId: string;
  /** The event its fetched messages stand for; null while they were not fetched. */
  joined: number | null;
  /** Where the messages before the fetched ones are to be had; null where there are none. */
  older: string | null;
  messages: Message[];
  withdrawn: string[];
  turns: Record<string, Turn>;
  tools: Record<string, ToolCall>;
  /** By `<step>/<kind>`. */
  drafts: Record<string, Draft>;
}

export interface Thread {
  id: string;
  kind: "master" | "channel" | "thread";
  title: string;
  /** Put away: it is listed apart, and goes on as before. */
  archived: boolean;
  /** The event that title and `archived` are as new as; older news of them is late. */
  changedSeq: number;
  createdAt: string;
  /** The newest event in it, as far as this page has seen. */
  lastSeq: number;
  lastAt: string;
  preview: string;
  subAgentId: string | null;
}

export interface SubAgent {
  id: string;
  type: string;
  channelId: string;
  threadId: string;
  state: SubAgentState;
  createdAt: string;
  /** The task it works on, else its newest. What it used and, where it began before this page, when: `GET /turns/{id}`. */
  turnId: string | null;
  startedAt: string | null;
  endedAt: string | null;
  /** The last words about it, and how its last task ended. */
  progress: string | null;
  progressAt: string | null;
  outcome: "completed" | "failed" | null;
  error: string | null;
  /** The actor that made it: an agent's key or a user's id; null where nobody knows. */
  parent: string | null;
  seq: number;
}

export interface Decision {
  id: string;
  kind: DecisionKind;
  threadId: string;
  turnId: string;
  stepId: string | null;
  asked: Record<string, unknown>;
  options: string[];
  state: "open" | "approved" | "denied" | "answered" | "expired" | "closed";
  answer: string | null;
  answeredBy: string | null;
  createdAt: string;
  expiresAt: string | null;
  answeredAt: string | null;
  seq: number;
  /** Place in the thread: the number of the event that told of it first. */
  at: number;
}

export interface ServiceNews {
  seq: number;
  time: string;
  state: string;
  text: string | null;
}

export interface Service {
  role: string;
  state: string;
  reason: string | null;
  retryAt: string | null;
  generation: number;
  decision: { decision: string; why: string; by: string } | null;
  since: string | null;
  /** What was told of it last, oldest first, at most 50. */
  news: ServiceNews[];
  seq: number;
}

export interface MemoryCommit {
  path: string;
  commit: string;
  number: number;
  time: string;
  seq: number;
}

export interface Timer {
  id: string;
  threadId: string | null;
  text: string;
  due: string | null;
  seq: number;
}

export interface View {
  /** The newest event that is in here. */
  seq: number;
  /** Whether the first snapshots are in. */
  ready: boolean;
  /** Counts resets: everything was forgotten and read again. */
  life: number;
  threads: Record<string, Thread>;
  conversations: Record<string, Conversation>;
  subAgents: Record<string, SubAgent>;
  decisions: Record<string, Decision>;
  services: Record<string, Service>;
  timers: Record<string, Timer>;
  /** Newest first, at most 500. */
  commits: MemoryCommit[];
  /** Every event as it came, oldest first, at most 10,000. */
  events: Event[];
}

export const RING = 10_000;

export function emptyView(seq = 0, life = 0): View {
  return {
    seq,
    ready: false,
    life,
    threads: {},
    conversations: {},
    subAgents: {},
    decisions: {},
    services: {},
    timers: {},
    commits: [],
    events: [],
  };
}

export function emptyConversation(threadId: string): Conversation {
  return {
    threadId,
    joined: null,
    older: null,
    messages: [],
    withdrawn: [],
    turns: {},
    tools: {},
    drafts: {},
  };
}

export const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
