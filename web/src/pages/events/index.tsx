import { ScrollText } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function EventsPage() {
  return (
    <Page title="Events">
      <EmptyState icon={<ScrollText />} title="Events" cli="growqr logs">
        Everything that happens, as it happens.
      </EmptyState>
    </Page>
  );
}
