import { GitPullRequestArrow } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function ChangesPage() {
  return (
    <Page title="Changes">
      <EmptyState icon={<GitPullRequestArrow />} title="Changes" cli="growqr files ls">
        What coding agents want to change in your repositories will wait here for your review.
      </EmptyState>
    </Page>
  );
}
