import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { ask, readAgent } from "@/api";
import { useView, type View } from "@/stream";
import { Badge } from "@/ui";

/** The model that answered last; asked for anew with each reply, as no event tells. */
export function AnsweredBy({ threadId }: { threadId: string | null }) {
  const newest = useView(
    useCallback(
      (view: View) => {
        const messages = (threadId && view.conversations[threadId]?.messages) || [];
        return messages.findLast((one) => one.role === "assistant")?.id ?? null;
      },
      [threadId],
    ),
  );
  const { data: model } = useQuery({
    queryKey: ["agent", "model", newest],
    queryFn: async () => (await ask(readAgent({ path: { user: "me" } }))).model,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
  if (!model) return null;
  if (model.provider === "scripted") return <Badge tone="warn">offline model</Badge>;
  return (
    <span title={`Answered last, by ${model.provider}`} className="min-w-0 max-sm:hidden">
      <Badge>{model.name}</Badge>
    </span>
  );
}
