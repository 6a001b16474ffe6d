import { BookText } from "lucide-react";
import { EmptyState, Page } from "@/ui";

export function MemoryPage() {
  return (
    <Page title="Memory">
      <EmptyState icon={<BookText />} title="Memory" cli="growqr memory ls">
        What your agent remembers, file by file.
      </EmptyState>
    </Page>
  );
}
