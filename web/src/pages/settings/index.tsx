import { Settings } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function SettingsPage() {
  return (
    <Page title="Settings">
      <EmptyState icon={<Settings />} title="Settings" cli="growqr doctor">
        Your account, keys and limits.
      </EmptyState>
    </Page>
  );
}
