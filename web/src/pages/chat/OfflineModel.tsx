import { useCallback } from "react";
import { textOf, useView, type View } from "@/stream";
import { Badge } from "@/ui";

const MARK = "(offline model)";

/** Says so where the newest reply was written by the built-in offline model. */
export function OfflineModel({ threadId }: { threadId: string | null }) {
  const offline = useView(
    useCallback(
      (view: View) => {
        const messages = (threadId && view.conversations[threadId]?.messages) || [];
        const last = messages.findLast((one) => one.role === "assistant" && textOf(one.content));
        return last ? textOf(last.content).includes(MARK) : false;
      },
      [threadId],
    ),
  );
  return offline ? <Badge tone="warn">offline model</Badge> : null;
}
