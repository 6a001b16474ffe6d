import { Check, LoaderCircle, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, cx, Elapsed } from "@/ui";
import type { Phase } from "./phases";

interface Props {
  phase: Phase;
  last: boolean;
  retry: () => void;
  busy: boolean;
}

export function PhaseRow({ phase, last, retry, busy }: Props) {
  const time = useClock(phase.state);
  const lines = phase.state === "done" ? [] : phase.lines;
  return (
    <li className="flex gap-4" data-testid={`phase-${phase.id}`} data-state={phase.state}>
      <div className="flex flex-col items-center">
        <Mark state={phase.state} />
        {!last && <span className="my-1 w-px flex-1 bg-line" />}
      </div>
      <div className={cx("min-w-0 flex-1", !last && "pb-5")}>
        <div className="flex items-baseline gap-2">
          <h3 className="font-medium">{phase.title}</h3>
          {time && (
            <span className="ml-auto whitespace-nowrap text-faint text-xs">
              <Elapsed since={time.since} until={time.until} />
            </span>
          )}
        </div>
        {phase.text && (
          <p className={cx("text-sm", phase.state === "failed" ? "text-danger" : "text-muted")}>
            {phase.text}
          </p>
        )}
        {lines.length > 0 && (
          <pre className="scroll-thin mt-1.5 overflow-x-auto rounded-lg bg-sunken px-3 py-2 font-mono text-muted text-xs">
            {lines.join("\n")}
          </pre>
        )}
        {phase.state === "failed" && (
          <Button size="sm" className="mt-2" busy={busy} onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </li>
  );
}

const MARKS = {
  waiting: "border-line text-faint",
  running: "border-accent text-accent",
  done: "border-accent bg-accent text-on-accent",
  failed: "border-danger bg-danger-soft text-danger",
};

function Mark({ state }: { state: Phase["state"] }) {
  return (
    <span
      className={cx(
        "grid size-7 place-items-center rounded-full border-2 [&_svg]:size-4",
        MARKS[state],
      )}
    >
      {state === "done" && <Check aria-hidden />}
      {state === "running" && <LoaderCircle aria-hidden className="animate-spin" />}
      {state === "failed" && <TriangleAlert aria-hidden />}
      <span className="sr-only">{state}</span>
    </span>
  );
}

/** When it began to run, and when it came to its end. */
function useClock(state: Phase["state"]): { since: string; until: string | null } | null {
  const [time, setTime] = useState<{ since: string; until: string | null } | null>(null);
  useEffect(() => {
    const now = new Date().toISOString();
    if (state === "running") setTime((known) => ({ since: known?.since ?? now, until: null }));
    if (state === "done") setTime((known) => known && { ...known, until: now });
  }, [state]);
  return time;
}
