import { useParams } from "@tanstack/react-router";
import { Bot } from "lucide-react";
import { useCallback } from "react";
import { type SubAgent, useView, type View } from "@/stream";
import { EmptyState, Page, SkeletonList } from "@/ui";
import { Channel } from "./Channel";
import { Head } from "./Head";
import { RunBox } from "./RunBox";
import { StopButton } from "./StopButton";
import { Writing } from "./Writing";

export function ChannelPage() {
  const { subAgentId } = useParams({ from: "/shell/app/channels/$subAgentId" });
  const agent = useView(useCallback((view: View) => view.subAgents[subAgentId], [subAgentId]));
  const ready = useView(useCallback((view: View) => view.ready, []));
  return (
    <Page title={subAgentId} actions={agent && <StopButton agent={agent} />} scroll="own">
      {agent && <Parts key={subAgentId} agent={agent} />}
      {!agent && !ready && <SkeletonList />}
      {!agent && ready && (
        <EmptyState icon={<Bot />} title={`There is no sub-agent ${subAgentId}`} />
      )}
    </Page>
  );
}

function Parts({ agent }: { agent: SubAgent }) {
  return (
    <>
      <Head agent={agent} />
      <Channel agent={agent} />
      <Writing threadId={agent.threadId} />
      {agent.state === "stopped" ? (
        <p className="border-t px-4 py-3 text-muted text-sm">
          It was stopped and takes no further tasks.
        </p>
      ) : (
        <RunBox subAgentId={agent.id} />
      )}
    </>
  );
}
