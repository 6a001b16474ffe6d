import { ListChecks } from "lucide-react";
import { useOpenDecisions } from "@/stream";
import { EmptyState, Page } from "@/ui";
import { DecisionCard } from "./DecisionCard";

export function DecisionsPage() {
  const open = useOpenDecisions();
  return (
    <Page title="Decisions" note={open.length ? "Turns wait for these." : undefined}>
      {open.length === 0 ? (
        <EmptyState icon={<ListChecks />} title="Nothing waits for you" cli="growqr inbox">
          What an agent may not do before you say so, and what it asks you, stands here.
        </EmptyState>
      ) : (
        <ul className="grid gap-4">
          {open.map((decision) => (
            <li key={decision.id}>
              <DecisionCard decision={decision} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
