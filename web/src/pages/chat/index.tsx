import { useParams } from "@tanstack/react-router";
import { useCallback } from "react";
import { threadName } from "@/shell/ThreadLinks";
import { useMasterThread, useView, type View } from "@/stream";
import { Page } from "@/ui";
import { Tree, useSubAgents } from "../sub-agents/Tree";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { placeOf } from "./draft";
import { OfflineModel } from "./OfflineModel";

export function MasterChatPage() {
  return <ChatPage threadId={useMasterThread()} />;
}

export function ThreadChatPage() {
  const { threadId } = useParams({ from: "/shell/app/chat/$threadId" });
  return <ChatPage threadId={threadId} />;
}

function ChatPage({ threadId }: { threadId: string | null }) {
  const thread = useView(
    useCallback((view: View) => (threadId ? view.threads[threadId] : undefined), [threadId]),
  );
  const subAgents = useSubAgents();
  return (
    <Page
      title={thread ? threadName(thread) : "Chat"}
      note={<OfflineModel threadId={threadId} />}
      aside={subAgents.length > 0 && <Tree />}
      asideLabel="Sub-agents"
      asideFold="sub-agents"
      scroll="own"
    >
      <Conversation key={threadId} threadId={threadId} />
      <Composer key={placeOf(threadId)} threadId={threadId} />
    </Page>
  );
}
