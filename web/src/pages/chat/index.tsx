import { useParams } from "@tanstack/react-router";
import { useCallback } from "react";
import { threadName } from "@/shell/ThreadLinks";
import { useMasterThread, useView, type View } from "@/stream";
import { Badge, Page } from "@/ui";
import { Tree, useSubAgents } from "../sub-agents/Tree";
import { AnsweredBy } from "./AnsweredBy";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { say } from "./say";

const MASTER = "master";

export function MasterChatPage() {
  return <ChatPage threadId={useMasterThread()} place={MASTER} address={MASTER} />;
}

export function ThreadChatPage() {
  const { threadId } = useParams({ from: "/shell/app/chat/$threadId" });
  const master = useMasterThread();
  const place = threadId === master ? MASTER : threadId;
  return <ChatPage threadId={threadId} place={place} address={threadId} />;
}

interface Props {
  threadId: string | null;
  /** Where its draft is kept: one may write before the master thread's id is known. */
  place: string;
  /** What stays the same when its thread or its place becomes known. */
  address: string;
}

function ChatPage({ threadId, place, address }: Props) {
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
      aside={subAgents.length > 0 && <Tree />}
      asideLabel="Sub-agents"
      asideFold="sub-agents"
      scroll="own"
    >
      <Conversation key={threadId} threadId={threadId} />
      <Composer key={address} place={place} send={(draft) => say(threadId, draft)} />
    </Page>
  );
}
