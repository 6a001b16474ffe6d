import { useCallback } from "react";
import { useView, type View } from "@/stream";
import { inOrder } from "@/ui";

const TAIL = 400;

/** The end of what it is writing now. */
export function Writing({ threadId }: { threadId: string }) {
  const text = useView(
    useCallback(
      (view: View) => {
        const drafts = Object.values(view.conversations[threadId]?.drafts ?? {});
        return drafts.at(-1)?.text.slice(-TAIL) ?? null;
      },
      [threadId],
    ),
  );
  if (!text) return null;
  return (
    <p className="flex items-center gap-2 border-t px-4 py-1.5 font-mono text-muted text-xs max-md:px-3">
      <span aria-hidden className="size-1.5 shrink-0 animate-pulse rounded-full bg-accent" />
      <span className="shrink-0">Writes</span>
      {/* the newest words stay in sight: what is too long is cut at its beginning */}
      <span className="flex min-w-0 flex-1 justify-end overflow-hidden whitespace-nowrap">
        <span className="min-w-full">{inOrder(text).replace(/\s+/g, " ")}</span>
      </span>
    </p>
  );
}
