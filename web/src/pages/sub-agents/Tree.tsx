import { Link } from "@tanstack/react-router";
import { useCallback, useMemo, useRef } from "react";
import { type SubAgent, sameItems, useView, type View } from "@/stream";
import { inOrder, StateBadge } from "@/ui";
import { Facts } from "./Facts";
import { type Branch, nameOf, treesOf } from "./tree";
import { useShown } from "./useShown";
import { useTask } from "./useTask";
import { progressOf } from "./words";

const ALL = (view: View) => Object.values(view.subAgents);

export function useSubAgents(): SubAgent[] {
  return useView(ALL, sameItems);
}

/** Every sub-agent below the one that made it. */
export function Tree() {
  const agents = useSubAgents();
  const roots = useMemo(() => treesOf(agents), [agents]);
  return roots.map(({ maker, made }) => (
    <section key={nameOf(maker)} className="mb-4">
      <h2 className="pb-1 font-medium text-faint text-xs">Made by {nameOf(maker)}</h2>
      <Branches branches={made} />
    </section>
  ));
}

function Branches({ branches }: { branches: Branch[] }) {
  return (
    <ul className="grid gap-1 border-line border-l pl-2">
      {branches.map(({ agent, made }) => (
        <li key={agent.id} className="min-w-0">
          <Row agent={agent} />
          {made.length > 0 && (
            <div className="mt-1 ml-3">
              <Branches branches={made} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function Row({ agent }: { agent: SubAgent }) {
  const row = useRef<HTMLDivElement>(null);
  const task = useTask(agent, useShown(row));
  const told = useView(useCallback((view: View) => progressOf(view, agent), [agent]));
  const progress = inOrder(told ?? task.outcome ?? "No task yet");
  return (
    <div
      ref={row}
      className="relative grid gap-0.5 rounded-lg px-2 py-1.5 focus-within:bg-sunken hover:bg-sunken"
    >
      <div className="flex items-center gap-2">
        <Link
          to="/app/channels/$subAgentId"
          params={{ subAgentId: agent.id }}
          className="min-w-0 truncate font-medium text-sm after:absolute after:inset-0 after:rounded-lg"
        >
          {agent.id}
        </Link>
        <span className="ml-auto">
          <StateBadge state={agent.state} />
        </span>
      </div>
      <p className="truncate text-muted text-sm" title={progress}>
        {progress}
      </p>
      <Facts task={task} />
    </div>
  );
}
