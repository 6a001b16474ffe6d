import { Link } from "@tanstack/react-router";
import { type SubAgent, useOpenDecisions } from "@/stream";
import { Badge, StateBadge } from "@/ui";
import { Facts } from "../sub-agents/Facts";
import { type Maker, makerOf, nameOf } from "../sub-agents/tree";
import { useTask } from "../sub-agents/useTask";

/** What it is, how it stands and what its newest task used. */
export function Head({ agent }: { agent: SubAgent }) {
  const task = useTask(agent, true);
  const asks = useOpenDecisions().some((one) => one.threadId === agent.threadId);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2 text-sm max-md:px-3">
      <Badge>{agent.type}</Badge>
      <StateBadge state={agent.state} />
      <Facts task={task} />
      <span className="text-faint text-xs">
        Made by <MakerLink maker={makerOf(agent.parent)} />
      </span>
      {asks && (
        <Link to="/app/decisions" className="text-accent underline underline-offset-2">
          It waits for your decision
        </Link>
      )}
    </div>
  );
}

function MakerLink({ maker }: { maker: Maker }) {
  const className = "text-accent underline underline-offset-2";
  if (maker.kind === "grow_agent") {
    return (
      <Link to="/app" className={className}>
        {nameOf(maker)}
      </Link>
    );
  }
  if (maker.kind !== "sub_agent") return nameOf(maker);
  return (
    <Link to="/app/channels/$subAgentId" params={{ subAgentId: maker.id }} className={className}>
      {nameOf(maker)}
    </Link>
  );
}
