import { toast } from "sonner";
import type { Event } from "@/stream";
import { Ago, Button, copyText } from "@/ui";

export async function copyTold(text: string, what: string): Promise<void> {
  if (await copyText(text)) toast.success(`${what} copied`);
  else toast.error("The browser did not let us copy");
}

/** One event as it came. */
export function Raw({ event }: { event: Event }) {
  return (
    <div className="grid gap-3">
      <p className="text-muted text-sm">
        <span className="font-mono">{event.type}</span> · <Ago time={event.time} />
      </p>
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => copyTold(JSON.stringify(event), "Event")}>
          Copy JSON
        </Button>
        <Button
          size="sm"
          onClick={() => copyTold(`${location.origin}/app/events?seq=${event.seq}`, "Link")}
        >
          Copy link
        </Button>
      </div>
      <pre className="scroll-thin overflow-x-auto whitespace-pre-wrap break-all rounded-lg bg-sunken p-3 font-mono text-xs">
        {JSON.stringify(event, null, 2)}
      </pre>
    </div>
  );
}
