import { count, dollars, Elapsed } from "@/ui";
import type { Task } from "./useTask";

/** How long the newest task took and what it used; "–" where nobody knows. */
export function Facts({ task }: { task: Task }) {
  return (
    <dl
      title="Of its newest task"
      className="flex flex-wrap gap-x-3 text-faint text-xs tabular-nums"
    >
      <Fact name="Time">{time(task)}</Fact>
      <Fact name="Tokens">{task.tokens === null ? "–" : count(task.tokens)}</Fact>
      <Fact name="Cost">{task.microUsd === null ? "–" : dollars(task.microUsd)}</Fact>
    </dl>
  );
}

function time({ startedAt, endedAt }: Task) {
  return startedAt ? <Elapsed since={startedAt} until={endedAt} /> : "–";
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-1">
      <dt>{name}</dt>
      <dd className="text-muted">{children}</dd>
    </div>
  );
}
