import { Activity } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function StatusPage() {
  return (
    <Page title="Status">
      <EmptyState icon={<Activity />} title="Status" cli="growqr status">
        What runs, and how it is.
      </EmptyState>
    </Page>
  );
}
