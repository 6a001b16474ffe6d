import type { GrowqrApiRoutesAdminEntryView as Entry } from "@/api";
import { copyTold } from "@/pages/events/Raw";
import { Ago, Badge, Button } from "@/ui";

/** One line of the log; opened, every fact as the server has it. */
export function AuditRow({ entry }: { entry: Entry }) {
  return (
    <li>
      <details>
        <summary className="flex cursor-pointer flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-2 hover:bg-sunken">
          <span className="font-medium font-mono text-sm">{entry.action}</span>
          {entry.outcome === "refused" && <Badge tone="bad">refused</Badge>}
          <span className="min-w-0 break-all text-muted text-sm">
            {entry.actor}
            {entry.subject && entry.subject !== entry.actor && ` → ${entry.subject}`}
          </span>
          <span className="ml-auto text-faint text-xs">
            <Ago time={entry.at} />
          </span>
        </summary>
        <div className="bg-sunken px-3 pt-3">
          <Button size="sm" onClick={() => copyTold(JSON.stringify(entry), "Entry")}>
            Copy JSON
          </Button>
        </div>
        <pre className="scroll-thin overflow-x-auto whitespace-pre-wrap break-all bg-sunken p-3 font-mono text-xs">
          {JSON.stringify(entry, null, 2)}
        </pre>
      </details>
    </li>
  );
}
