import type { Decision } from "@/stream";
import { count, duration, inPlainSight } from "@/ui";

function text(value: unknown): string {
  return inPlainSight(typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** Exactly what is asked: nothing is left out, and letters stand in their order. */
export function Asked({ decision }: { decision: Decision }) {
  const { asked, kind } = decision;
  if (kind === "budget") return <Budget asked={asked} />;
  return (
    <div className="grid gap-3">
      {typeof asked.text === "string" && (
        <p className="whitespace-pre-wrap break-words">{text(asked.text)}</p>
      )}
      {typeof asked.name === "string" && (
        <p>
          Make this call once more: <code className="font-mono">{text(asked.name)}</code>
        </p>
      )}
      {asked.input !== undefined && (
        <pre className="scroll-thin max-h-80 overflow-auto whitespace-pre-wrap break-words rounded-lg bg-sunken p-3 font-mono text-sm">
          {text(asked.input)}
        </pre>
      )}
    </div>
  );
}

function Budget({ asked }: { asked: Record<string, unknown> }) {
  const unit = String(asked.unit);
  const whose = String(asked.scope).startsWith("turn:")
    ? "This turn has"
    : String(asked.scope).startsWith("key:")
      ? "An API key has, today,"
      : "Today you have";
  return (
    <p>
      {whose} used {amount(asked.spent, unit)} of {amount(asked.limit, unit)}. Allowing it grants as
      much again.
    </p>
  );
}

function amount(value: unknown, unit: string): string {
  const number = Number(value);
  if (unit === "usd") return `$${number.toFixed(2)}`;
  return unit === "seconds" ? duration(number * 1000, true) : `${count(number)} tokens`;
}
