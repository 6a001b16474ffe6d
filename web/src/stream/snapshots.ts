/** What is read beside the stream: once at the start, after a reset, and when a thread is opened. */
import {
  ask,
  askAll,
  listApprovals,
  listMessages,
  listQuestions,
  listSubAgents,
  listThreads,
  type MessageView,
  readAgent,
} from "@/api";
import type { Snapshot } from "./join";

const ME = { user: "me" };
const PAGE = 200;

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

/** All messages of a thread and the event they stand for. */
export async function readMessages(
  threadId: string,
): Promise<{ read: MessageView[]; seq: number }> {
  const read: MessageView[] = [];
  let cursor: string | undefined;
  for (;;) {
    const query = { limit: PAGE, cursor };
    const page = await ask(listMessages({ path: { thread_id: threadId }, query }));
    read.push(...page.data);
    if (!page.next_cursor) return { read, seq: page.seq };
    cursor = page.next_cursor;
  }
}
