import { useCallback } from "react";
import { openDecisions, sameItems, useView, type View } from "@/stream";
import { DecisionCard } from "../decisions/DecisionCard";

/** What the thread waits for from a person, to be decided where it was asked. */
export function Waiting({ threadId }: { threadId: string }) {
  const open = useView(
    useCallback(
      (view: View) => openDecisions(view).filter((one) => one.threadId === threadId),
      [threadId],
    ),
    sameItems,
  );
  if (!open.length) return null;
  return (
    <ul aria-label="Waiting for you" className="grid gap-4">
      {open.map((decision) => (
        <li key={decision.id}>
          <DecisionCard decision={decision} inThread />
        </li>
      ))}
    </ul>
  );
}
