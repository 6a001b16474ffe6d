import { useCallback, useState } from "react";
import { ask, withdrawMessage } from "@/api";
import { type Message, useView } from "@/stream";
import { Button, tellProblem } from "@/ui";

/** Under a message that no agent has begun with: it can still be taken back. */
export function Queued({ message }: { message: Message }) {
  const queued = useView(
    useCallback(
      (view) =>
        Object.values(view.conversations).some(
          (conversation) => conversation.turns[message.turnId]?.state === "queued",
        ),
      [message.turnId],
    ),
  );
  const [busy, setBusy] = useState(false);
  if (!queued) return null;

  async function withdraw() {
    setBusy(true);
    try {
      await ask(withdrawMessage({ path: { message_id: message.id } }));
    } catch (error) {
      tellProblem(error);
      setBusy(false);
    }
  }

  return (
    <p className="mt-1 flex items-center justify-end gap-2 text-muted text-sm">
      Queued
      <Button size="sm" look="quiet" busy={busy} onClick={withdraw}>
        Withdraw
      </Button>
    </p>
  );
}
