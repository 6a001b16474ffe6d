/** What is read beside the stream: once at the start, after a reset, and when a thread is opened. */
import {
  ask,
  askAll,
  listApprovals,
  listMessages,
  listQuestions,
  listSubAgents,
  listThreads,
  readAgent,
} from "@/api";
import type { MessagesRead, Snapshot } from "./join";

const ME = { user: "me" };
const PAGE = 200;
const MESSAGES = 60;

/** The agent is read first, so that all else is as new as its `seq` at least. */
export async function readSnapshot(): Promise<Snapshot> {
  const agent = await ask(readAgent({ path: ME }));
  const [threads, subAgents, approvals, questions] = await Promise.all([
    readThreads(),
    askAll((cursor) => listSubAgents({ path: ME, query: { limit: PAGE, cursor } })),
    askAll((cursor) => listApprovals({ query: { limit: PAGE, cursor } })),
    askAll((cursor) => listQuestions({ query: { limit: PAGE, cursor } })),
  ]);
  return { agent, threads, subAgents, decisions: [...approvals, ...questions] };
}

export function readThreads() {
  return askAll((cursor) => listThreads({ query: { limit: PAGE, cursor } }));
}

/** The newest messages of a thread, or the ones before the cursor; a thread may have thousands. */
export async function readMessages(threadId: string, cursor?: string): Promise<MessagesRead> {
  const query = { order: "newest" as const, limit: MESSAGES, cursor };
  const page = await ask(listMessages({ path: { thread_id: threadId }, query }));
  const { seq, turns, decisions } = page;
  return { read: page.data.reverse(), turns, decisions, seq, older: page.next_cursor ?? null };
}
