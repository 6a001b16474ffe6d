import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { useState } from "react";
import { ask, readAudit } from "@/api";
import { Button, CliLine, EmptyState, Input, ProblemNote, SkeletonList, useSettled } from "@/ui";
import { AuditRow } from "./AuditRow";
import { auditLine } from "./cli";

/** Newest first, a page at a time. */
export function Audit() {
  const [who, setWho] = useState("");
  const [action, setAction] = useState("");
  const log = useAuditLog(useSettled(who.trim()), useSettled(action.trim()));
  const cli = auditLine(who.trim(), action.trim());
  const entries = log.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <section className="grid gap-4">
      <search className="grid gap-2 sm:grid-cols-2">
        <Input
          aria-label="Actor or subject"
          placeholder="Actor or subject, such as u_owner"
          maxLength={200}
          value={who}
          onChange={(event) => setWho(event.target.value)}
        />
        <Input
          aria-label="Action begins with"
          placeholder="Action, such as sign_in."
          maxLength={100}
          value={action}
          onChange={(event) => setAction(event.target.value)}
        />
      </search>
      {log.error && <ProblemNote error={log.error} retry={() => log.refetch()} />}
      {log.isPending && <SkeletonList rows={4} />}
      {log.data && entries.length === 0 && (
        <EmptyState
          icon={<ScrollText />}
          title={who || action ? "No entry is like that" : "No entries"}
          cli={cli}
        />
      )}
      {entries.length > 0 && (
        <ul aria-label="Audit log" className="divide-y overflow-hidden rounded-xl border">
          {entries.map((entry) => (
            <AuditRow key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
      {entries.length > 0 && (
        <div className="flex flex-wrap items-center justify-between gap-3">
          <CliLine line={cli} />
          {log.hasNextPage && (
            <Button busy={log.isFetchingNextPage} onClick={() => log.fetchNextPage()}>
              Older entries
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function useAuditLog(who: string, action: string) {
  return useInfiniteQuery({
    queryKey: ["admin", "audit", who, action],
    queryFn: ({ pageParam, signal }) =>
      ask(
        readAudit({
          query: { who: who || undefined, action: action || undefined, cursor: pageParam },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}
