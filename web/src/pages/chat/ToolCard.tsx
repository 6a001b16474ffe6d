import { ChevronRight, Wrench } from "lucide-react";
import { durationOf, type ToolCall } from "@/stream";
import { duration, Elapsed, Exact, StateBadge } from "@/ui";

/** A tool call: what was asked, how it went, what came of it. */
export function ToolCard({ tool }: { tool: ToolCall }) {
  const ms = durationOf(tool);
  return (
    <details className="group rounded-xl border border-line bg-ground">
      <summary className="flex min-h-10 cursor-pointer list-none items-center gap-2 px-3 py-1.5 text-sm">
        <ChevronRight
          aria-hidden
          className="size-4 text-faint transition-transform group-open:rotate-90"
        />
        <Wrench aria-hidden className="size-4 text-muted" />
        <span className="min-w-0 truncate font-mono">{tool.name}</span>
        <span className="ml-auto flex items-center gap-2 text-faint text-xs">
          {ms !== null && duration(ms)}
          {tool.state === "started" && tool.startedAt && <Elapsed since={tool.startedAt} />}
          <StateBadge state={tool.state} />
        </span>
      </summary>
      <div className="grid gap-2 border-t px-3 py-2">
        <Value label="Input" value={tool.input} />
        <Value label="Output" value={tool.output} />
      </div>
    </details>
  );
}

function Value({ label, value }: { label: string; value: unknown }) {
  if (value === undefined || value === null) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div className="min-w-0">
      <p className="text-faint text-xs">{label}</p>
      <pre className="scroll-thin max-h-72 overflow-auto whitespace-pre-wrap font-mono text-xs [overflow-wrap:anywhere]">
        <Exact text={text} />
      </pre>
    </div>
  );
}
