import { RotateCcw } from "lucide-react";
import { useCallback } from "react";
import { type Turn, textOf, useView, type View } from "@/stream";
import { Button } from "@/ui";
import { write } from "./draft";

/** Puts what the turn was about where the next message is written. */
export function AskAgain({ turn }: { turn: Turn }) {
  const text = useView(
    useCallback(
      (view: View) => {
        const messages = view.conversations[turn.threadId]?.messages ?? [];
        const asked = messages.find((one) => one.turnId === turn.id && one.role === "user");
        return asked ? textOf(asked.content) : "";
      },
      [turn.threadId, turn.id],
    ),
  );
  if (!text) return null;
  const again = () => {
    write(turn.threadId, text);
    document.querySelector<HTMLTextAreaElement>("textarea[aria-label=Message]")?.focus();
  };
  return (
    <Button size="sm" look="quiet" onClick={again}>
      <RotateCcw aria-hidden className="size-3.5" /> Ask again
    </Button>
  );
}
