import { Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { ask, asProblem, cancelTurn } from "@/api";
import { type Conversation, openTurns, type Turn } from "@/stream";
import { Button, Elapsed } from "@/ui";

const WAITS: Record<string, string> = {
  sub_agent: "Waiting for a sub-agent",
  approval: "Waiting for your approval",
  answer: "Waiting for your answer",
  budget: "Waiting for you to allow more",
};

const OVER = "[role=dialog],[role=alertdialog],[role=menu],[role=listbox]";

/** What is under way in a thread, and how to stop it. */
export function Working({ conversation }: { conversation: Conversation }) {
  const turn = openTurns(conversation.turns)[0];
  if (!turn) return null;
  const since = turn.startedAt ?? turn.queuedAt;
  return (
    <div className="flex items-center gap-3 text-muted text-sm" data-testid="working">
      <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent" />
      <span>
        {wordsOf(turn)} {since && <Elapsed since={since} />}
      </span>
      <StopButton turn={turn} />
    </div>
  );
}

function wordsOf(turn: Turn): string {
  if (turn.state === "queued") return "Queued";
  if (turn.state === "waiting") return WAITS[turn.waiting ?? ""] ?? "Waiting";
  return "Working";
}

function StopButton({ turn }: { turn: Turn }) {
  const [busy, setBusy] = useState(false);
  const stop = async () => {
    setBusy(true);
    try {
      await ask(cancelTurn({ path: { turn_id: turn.id } }));
    } catch (error) {
      toast.error(asProblem(error).detail);
    } finally {
      setBusy(false);
    }
  };
  useEscape(stop);
  return (
    <Button size="sm" busy={busy} onClick={stop} title="Esc">
      <Square aria-hidden className="size-3.5" /> Stop
    </Button>
  );
}

/** Does it on Esc, unless something lies over the page that Esc closes. */
function useEscape(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.isComposing) return;
      if (!document.querySelector(OVER)) latest.current();
    };
    // Before whatever lies over the page hears of it and is gone.
    window.addEventListener("keydown", press, { capture: true });
    return () => window.removeEventListener("keydown", press, { capture: true });
  }, []);
}
