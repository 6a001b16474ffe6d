import type { Decision } from "@/stream";
import { count, cx, duration, Exact } from "@/ui";

/** Exactly what is asked: nothing is left out, and what cannot be seen stands there by its number. */
export function Asked({ decision }: { decision: Decision }) {
  const { asked, kind } = decision;
  if (kind === "budget") return <Budget asked={asked} />;
  return (
    <div className="grid min-w-0 gap-3">
      {typeof asked.text === "string" && (
        <p dir="auto" className={BLOCK}>
          <Exact text={asked.text} />
        </p>
      )}
      {typeof asked.name === "string" && (
        <p className="[overflow-wrap:anywhere]">
          Make this call once more:{" "}
          <code className="font-mono">
            <Exact text={asked.name} />
          </code>
        </p>
      )}
      {asked.input !== undefined && (
        <pre dir="ltr" className={cx(BLOCK, "rounded-lg bg-sunken p-3 font-mono text-sm")}>
          <Exact text={JSON.stringify(asked.input, null, 2)} />
        </pre>
      )}
    </div>
  );
}

/** However long it is, it stays in its box and can be read there. */
const BLOCK = "scroll-thin max-h-80 overflow-auto whitespace-pre-wrap [overflow-wrap:anywhere]";

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
