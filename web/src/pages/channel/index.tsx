import { useParams } from "@tanstack/react-router";
import { Bot } from "lucide-react";
import { useCallback } from "react";
import { Conversation } from "@/pages/chat/Conversation";
import { useView, type View } from "@/stream";
import { EmptyState, Page, SkeletonList, StateBadge } from "@/ui";

export function ChannelPage() {
  const { subAgentId } = useParams({ from: "/shell/app/channels/$subAgentId" });
  const agent = useView(useCallback((view: View) => view.subAgents[subAgentId], [subAgentId]));
  const ready = useView(useCallback((view: View) => view.ready, []));
  return (
    <Page title={subAgentId} note={agent && <StateBadge state={agent.state} />} scroll="own">
      {agent && <Conversation threadId={agent.threadId} />}
      {!agent && !ready && <SkeletonList />}
      {!agent && ready && (
        <EmptyState icon={<Bot />} title={`There is no sub-agent ${subAgentId}`} />
      )}
    </Page>
  );
}
