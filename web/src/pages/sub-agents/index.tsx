import { Bot } from "lucide-react";
import { useView, type View } from "@/stream";
import { EmptyState, Page, SkeletonList } from "@/ui";
import { Tree, useSubAgents } from "./Tree";

const READY = (view: View) => view.ready;
const CLI = 'growqr chat "create hello.py that prints hello"';

export function SubAgentsPage() {
  const agents = useSubAgents();
  const ready = useView(READY);
  return (
    <Page title="Sub-agents">
      <div className="mx-auto w-full max-w-3xl">
        {agents.length > 0 && <Tree />}
        {!agents.length && !ready && <SkeletonList />}
        {!agents.length && ready && (
          <EmptyState icon={<Bot />} title="No sub-agents yet" cli={CLI}>
            Your agent gives work with files and commands to sub-agents. Each stands here, with what
            it does and what it used.
          </EmptyState>
        )}
      </div>
    </Page>
  );
}
