import { useQuery } from "@tanstack/react-query";
import { ask, readMe } from "@/api";
import type { Decision } from "@/stream";
import { Ago, Exact } from "@/ui";
import { outcomeOf } from "./words";

/** What was decided, by whom and when; and what was answered. */
export function Outcome({ decision }: { decision: Decision }) {
  const { data: me } = useQuery({ queryKey: ["me"], queryFn: () => ask(readMe()) });
  const { answer, answeredAt } = decision;
  return (
    <div className="grid min-w-0 gap-1">
      {answer && (
        <p
          dir="auto"
          className="scroll-thin max-h-80 overflow-auto whitespace-pre-wrap border-accent border-l-2 pl-3 [overflow-wrap:anywhere]"
        >
          <Exact text={answer} />
        </p>
      )}
      <p className="text-muted text-sm">
        {outcomeOf(decision, me?.id)}
        {answeredAt && (
          <>
            {" · "}
            <Ago time={answeredAt} />
          </>
        )}
      </p>
    </div>
  );
}
