import { GitPullRequestArrow } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function ChangesPage() {
  return (
    <Page title="Changes">
      <EmptyState icon={<GitPullRequestArrow />} title="No changes" cli="growqr files ls">
        Sub-agents write straight into your workspace, so nothing waits for a review.
      </EmptyState>
    </Page>
  );
}
