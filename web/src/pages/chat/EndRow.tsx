import { RotateCcw } from "lucide-react";
import { useRef, useState } from "react";
import { draftOf } from "@/shell/drafts";
import type { Turn } from "@/stream";
import { Button, tellProblem } from "@/ui";
import { say } from "./say";

interface Props {
  turn: Turn;
  /** What was said, where it was not said again since. */
  again: string | null;
}

/** How a turn ended that was not completed. */
export function EndRow({ turn, again }: Props) {
  const failed = turn.state === "failed";
  return (
    <div className="flex flex-wrap items-center justify-center gap-x-3 gap-y-1 text-muted text-sm">
      {failed ? (
        <p className="min-w-0 flex-1 rounded-lg bg-danger-soft px-3 py-2 text-danger [overflow-wrap:anywhere]">
          {turn.error?.message ?? "This did not work."}
          {turn.error && <span className="ml-2 font-mono text-xs">{turn.error.code}</span>}
        </p>
      ) : (
        <span>Stopped</span>
      )}
      {again !== null && <AskAgain threadId={turn.threadId} text={again} />}
    </div>
  );
}

/** Says the same once more. However often it is pressed, it is one message, which takes it away. */
function AskAgain({ threadId, text }: { threadId: string; text: string }) {
  const draft = useRef(draftOf(text));
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      await say(threadId, draft.current);
    } catch (error) {
      tellProblem(error);
      setBusy(false);
    }
  };
  return (
    <Button size="sm" busy={busy} onClick={send}>
      <RotateCcw aria-hidden className="size-3.5" /> Ask again
    </Button>
  );
}
