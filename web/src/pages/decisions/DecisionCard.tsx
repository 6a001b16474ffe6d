import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { toast } from "sonner";
import { answer, ask, asProblem, decide } from "@/api";
import type { Decision } from "@/stream";
import { Ago, Badge, Button, Card, Input, inPlainSight } from "@/ui";
import { Asked } from "./Asked";

const TITLES = { approval: "Approval", question: "Question", budget: "Budget" };

interface DecisionCardProps {
  decision: Decision;
  /** It stands in its thread already. */
  inThread?: boolean;
}

/** One thing asked. However often it is pressed, it is decided once: the first press counts. */
export function DecisionCard({ decision, inThread = false }: DecisionCardProps) {
  const [busy, setBusy] = useState(false);
  const sent = useRef(false);

  async function send(request: () => Promise<unknown>) {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    try {
      await request(); // the event takes the card away
    } catch (error) {
      const problem = asProblem(error);
      const elsewhere = problem.code === "already_decided";
      toast.error(elsewhere ? `Decided elsewhere: ${problem.detail}.` : problem.detail);
      sent.current = elsewhere;
      setBusy(elsewhere);
    }
  }

  const path = { decision_id: decision.id };
  return (
    <Card className="grid gap-4">
      <header className="flex flex-wrap items-center gap-2 text-muted text-sm">
        <Badge>{TITLES[decision.kind]}</Badge>
        <Ago time={decision.createdAt} />
        {!inThread && (
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
      {decision.kind === "question" ? (
        <Answer
          options={decision.options}
          busy={busy}
          send={(text) => send(() => ask(answer({ path, body: { answer: text } })))}
        />
      ) : (
        <div className="flex flex-wrap gap-2">
          {(["approve", "deny"] as const).map((verdict) => (
            <Button
              key={verdict}
              look={verdict === "approve" ? "primary" : "plain"}
              disabled={busy}
              onClick={() => send(() => ask(decide({ path, body: { decision: verdict } })))}
            >
              {verdict === "approve" ? "Approve" : "Deny"}
            </Button>
          ))}
        </div>
      )}
    </Card>
  );
}

interface AnswerProps {
  options: string[];
  busy: boolean;
  send: (text: string) => void;
}

function Answer({ options, busy, send }: AnswerProps) {
  const [text, setText] = useState("");
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) send(text);
      }}
    >
      {options.length > 0 && (
        <div className="flex flex-wrap gap-2">
          {options.map((option) => (
            <Button key={option} disabled={busy} onClick={() => send(option)}>
              {inPlainSight(option)}
            </Button>
          ))}
        </div>
      )}
      <div className="flex gap-2">
        <Input
          aria-label="Answer"
          value={text}
          disabled={busy}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" look="primary" disabled={busy || !text.trim()}>
          Answer
        </Button>
      </div>
    </form>
  );
}
