import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { ask, readAgent } from "@/api";
import { useView, type View } from "@/stream";
import { Badge } from "@/ui";

/** The provider that needs neither key nor network. */
const OFFLINE = "scripted";

/** Says so where the built-in offline model was the last to answer. */
export function OfflineModel({ threadId }: { threadId: string | null }) {
  const said = useView(
    useCallback(
      (view: View) => (threadId && view.conversations[threadId]?.messages.length) || 0,
      [threadId],
    ),
  );
  const { data } = useQuery({
    queryKey: ["agent", "model", said],
    queryFn: () => ask(readAgent({ path: { user: "me" } })),
    placeholderData: (before) => before,
    select: (agent) => agent.model?.provider,
  });
  return data === OFFLINE ? <Badge tone="warn">offline model</Badge> : null;
}
