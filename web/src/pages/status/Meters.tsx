import { useQuery } from "@tanstack/react-query";
import { ask, readUsage } from "@/api";
import { cx, ProblemNote, SkeletonList } from "@/ui";
import { amount, budgetName } from "./budgets";

export const USAGE = ["usage"];

/** What was spent today (UTC), and of how much. */
export function Meters() {
  const usage = useQuery({ queryKey: USAGE, queryFn: () => ask(readUsage()) });
  if (usage.error) return <ProblemNote error={usage.error} retry={() => usage.refetch()} />;
  if (!usage.data) return <SkeletonList rows={2} />;
  return (
    <ul className="grid gap-4">
      {usage.data.data.map((one) => (
        <li key={`${one.scope} ${one.unit}`} className="grid gap-1.5">
          <p className="flex justify-between gap-2 text-sm">
            <span className="text-muted">{budgetName(one)}</span>
            <span className="tabular-nums">
              {amount(one.spent, one.unit)}
              <span className="text-faint">
                {one.limit === null ? " · no limit" : ` of ${amount(one.limit, one.unit)}`}
              </span>
            </span>
          </p>
          {one.limit !== null && <Bar part={one.limit ? one.spent / one.limit : 1} />}
        </li>
      ))}
    </ul>
  );
}

function Bar({ part }: { part: number }) {
  const full = Math.min(1, Math.max(0, part));
  return (
    <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-sunken">
      <div
        className={cx("h-full rounded-full", full >= 0.9 ? "bg-danger" : "bg-accent")}
        style={{ width: `${full * 100}%` }}
      />
    </div>
  );
}
