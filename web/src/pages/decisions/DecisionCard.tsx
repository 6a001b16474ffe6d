import { Link } from "@tanstack/react-router";
import type { Decision } from "@/stream";
import { Ago, Badge, Card } from "@/ui";
import { Answer } from "./Answer";
import { Asked } from "./Asked";
import { Outcome } from "./Outcome";
import { useDecide } from "./useDecide";
import { Verdict } from "./Verdict";
import { TITLES } from "./words";

interface Props {
  decision: Decision;
  /** Where it stands: a list of decisions leads to its thread. */
  place?: "list" | "thread";
}

/** One thing asked, and how to decide it; afterwards, what was decided. */
export function DecisionCard({ decision, place = "list" }: Props) {
  return (
    <Card
      role="group"
      aria-label={TITLES[decision.kind]}
      className="grid min-w-0 grid-cols-1 gap-3 overflow-hidden"
    >
      <header className="flex flex-wrap items-center gap-2 text-muted text-sm">
        <Badge tone={decision.state === "open" ? "warn" : "neutral"}>{TITLES[decision.kind]}</Badge>
        <Ago time={decision.createdAt} />
        {place === "list" && (
          <Link
            to="/app/chat/$threadId"
            params={{ threadId: decision.threadId }}
            className="ml-auto underline"
          >
            In its thread
          </Link>
        )}
      </header>
      <Asked decision={decision} />
      {decision.state === "open" ? <Choice decision={decision} /> : <Outcome decision={decision} />}
    </Card>
  );
}

function Choice({ decision }: { decision: Decision }) {
  const { busy, told, verdict, reply } = useDecide(decision);
  return (
    <>
      {decision.kind === "question" ? (
        <Answer options={decision.options} busy={busy} send={reply} />
      ) : (
        <Verdict busy={busy} send={verdict} />
      )}
      {told && (
        <p role="alert" className="text-danger text-sm">
          {told}
        </p>
      )}
    </>
  );
}
