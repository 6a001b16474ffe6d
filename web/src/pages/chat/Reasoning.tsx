import { ChevronRight } from "lucide-react";
import { Exact } from "@/ui";

/** What the model thought: open while it thinks, folded once the answer comes. */
export function Reasoning({ text, live }: { text: string; live: boolean }) {
  return (
    <details open={live} className="group min-w-0 text-muted text-sm">
      <summary className="flex min-h-8 w-fit cursor-pointer list-none items-center gap-1.5 rounded-lg pr-2 hover:text-ink">
        <ChevronRight
          aria-hidden
          className="size-4 text-faint transition-transform group-open:rotate-90"
        />
        Reasoning
        {live && <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-accent" />}
      </summary>
      <p
        dir="auto"
        className="scroll-thin ml-1.5 max-h-80 overflow-auto whitespace-pre-wrap border-l-2 py-1 pl-4 [overflow-wrap:anywhere]"
      >
        <Exact text={text} />
      </p>
    </details>
  );
}
