import { useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useRef } from "react";
import type { ThreadView } from "@/api";
import type { Draft } from "@/shell/drafts";
import { NEW_THREAD, threadName } from "@/shell/ThreadLinks";
import { stream, useMasterThread, useView, type View } from "@/stream";
import { Badge, Page } from "@/ui";
import { Tree, useSubAgents } from "../sub-agents/Tree";
import { AnsweredBy } from "./AnsweredBy";
import { Composer } from "./Composer";
import { Conversation, Nothing } from "./Conversation";
import { say, threadFor } from "./say";
import { ThreadMenu } from "./ThreadMenu";

const MASTER = "master";

export function MasterChatPage() {
  return <ChatPage threadId={useMasterThread()} place={MASTER} />;
}

export function ThreadChatPage() {
  const { threadId } = useParams({ from: "/shell/app/chat/$threadId" });
  const master = useMasterThread();
  if (threadId === NEW_THREAD) return <NewChatPage />;
  return <ChatPage threadId={threadId} place={threadId === master ? MASTER : threadId} />;
}

function ChatPage({ threadId, place }: { threadId: string | null; place: string }) {
  const thread = useView(
    useCallback((view: View) => (threadId ? view.threads[threadId] : undefined), [threadId]),
  );
  const subAgents = useSubAgents();
  return (
    <Page
      title={thread ? threadName(thread) : "Chat"}
      note={
        <>
          {thread?.archived && <Badge>archived</Badge>}
          <AnsweredBy threadId={threadId} />
        </>
      }
      actions={thread && <ThreadMenu thread={thread} />}
      aside={subAgents.length > 0 && <Tree />}
      asideLabel="Sub-agents"
      asideFold="sub-agents"
      scroll="own"
    >
      <Conversation key={threadId} threadId={threadId} />
      <Composer key={place} place={place} send={(draft) => say(threadId, draft)} />
    </Page>
  );
}

/** A thread that begins with its first message. */
function NewChatPage() {
  const navigate = useNavigate();
  const made = useRef<ThreadView | null>(null); // where the message failed, it is there already
  const send = async (draft: Draft) => {
    made.current ??= await threadFor(draft);
    const thread = made.current;
    await say(thread.id, draft);
    stream.addThreads([thread]);
    navigate({ to: "/app/chat/$threadId", params: { threadId: thread.id }, replace: true });
  };
  return (
    <Page title="New thread" scroll="own">
      <div className="mx-auto w-full max-w-3xl flex-1 overflow-y-auto px-4 py-6">
        <Nothing />
      </div>
      <Composer place={NEW_THREAD} send={send} focus />
    </Page>
  );
}
