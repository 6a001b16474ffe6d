import { ListChecks } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function DecisionsPage() {
  return (
    <Page title="Decisions">
      <EmptyState icon={<ListChecks />} title="Decisions" cli="growqr inbox">
        What waits for your yes or no.
      </EmptyState>
    </Page>
  );
}
