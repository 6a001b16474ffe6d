import { Square } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { ask, cancelTurn } from "@/api";
import { type Conversation, type Turn, turnUnderWay } from "@/stream";
import { Button, Elapsed, tellProblem } from "@/ui";

const WAITS: Record<string, string> = {
  sub_agent: "Waiting for a sub-agent",
  approval: "Waiting for your approval",
  answer: "Waiting for your answer",
  budget: "Waiting for you to allow more",
};

/** What is under way in a thread, and how to stop it: by the button or by Esc. */
export function Working({ conversation }: { conversation: Conversation }) {
  const turn = turnUnderWay(conversation.turns);
  return turn ? <UnderWay key={turn.id} turn={turn} /> : null;
}

function UnderWay({ turn }: { turn: Turn }) {
  const { stop, busy } = useStop(turn.id);
  useEscape(stop);
  const since = turn.startedAt ?? turn.queuedAt;
  return (
    <div className="flex items-center gap-3 text-muted text-sm" data-testid="working">
      <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent" />
      <span>
        {busy ? "Stopping" : wordsOf(turn)} {since && <Elapsed since={since} />}
      </span>
      <Button size="sm" busy={busy} onClick={stop} aria-keyshortcuts="Escape">
        <Square aria-hidden className="size-3.5" /> Stop
      </Button>
    </div>
  );
}

function wordsOf(turn: Turn): string {
  if (turn.state === "queued") return "Queued";
  if (turn.state === "waiting") return WAITS[turn.waiting ?? ""] ?? "Waiting";
  return "Working";
}

/** The turn ends after its current step; until then it is asked once. */
function useStop(turnId: string) {
  const [busy, setBusy] = useState(false);
  const asked = useRef(false);
  const stop = useCallback(async () => {
    if (asked.current) return;
    asked.current = true;
    setBusy(true);
    try {
      await ask(cancelTurn({ path: { turn_id: turnId } }));
    } catch (error) {
      tellProblem(error);
      asked.current = false;
      setBusy(false);
    }
  }, [turnId]);
  return { stop, busy };
}

const OPEN = "[role=dialog],[role=alertdialog],[role=menu],[role=listbox]";
const FIELD = "input,select,textarea:not([data-composer])";

/** Esc where nothing else is open that it would close, and no field that it may mean. */
function useEscape(then: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      if (event.target instanceof Element && event.target.matches(FIELD)) return;
      if (!document.querySelector(OPEN)) then();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [then]);
}
