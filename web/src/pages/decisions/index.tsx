import { ListChecks } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { type Decision, sameItems, useOpenDecisions, useView, type View } from "@/stream";
import { EmptyState, Page, SkeletonList } from "@/ui";
import { DecisionCard } from "./DecisionCard";

const READY = (view: View) => view.ready;

export function DecisionsPage() {
  const ready = useView(READY);
  const open = useOpenDecisions();
  const shown = useShown(open);
  return (
    <Page title="Decisions" note={open.length ? "Turns wait for these." : undefined}>
      {shown.length === 0 && !ready ? (
        <SkeletonList />
      ) : shown.length === 0 ? (
        <EmptyState icon={<ListChecks />} title="Nothing waits for you" cli="growqr inbox">
          What an agent may not do before you say so, and what it asks you, stands here.
        </EmptyState>
      ) : (
        <ul className="mx-auto grid max-w-3xl gap-4">
          {shown.map((decision) => (
            <li key={decision.id} className="min-w-0">
              <DecisionCard decision={decision} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}

/** What is open, and what was so while one looked: one sees who decided what. */
function useShown(open: Decision[]): Decision[] {
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setSeen((before) => new Set([...before, ...open.map((one) => one.id)]));
  }, [open]);
  const select = useCallback(
    (view: View) =>
      Object.values(view.decisions)
        .filter((one) => one.state === "open" || seen.has(one.id))
        .sort((a, b) => a.createdAt.localeCompare(b.createdAt)),
    [seen],
  );
  return useView(select, sameItems);
}
