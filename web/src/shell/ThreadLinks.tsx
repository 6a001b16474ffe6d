import { Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { openTurns, type Thread, useView, type View } from "@/stream";
import { cx } from "@/ui";

const LINK =
  "flex h-8 items-center gap-2 rounded-lg pr-9 pl-2.5 text-sm text-muted hover:bg-sunken hover:text-ink";
const HERE = { className: "bg-sunken text-ink font-medium" };

/** To a chat, or to the channel of a sub-agent. */
export function ThreadLink({ thread }: { thread: Thread }) {
  const inside = (
    <>
      <Dot threadId={thread.id} />
      <span className="truncate">{threadName(thread)}</span>
    </>
  );
  if (thread.subAgentId) {
    return (
      <Link
        to="/app/channels/$subAgentId"
        params={{ subAgentId: thread.subAgentId }}
        className={LINK}
        activeProps={HERE}
      >
        {inside}
      </Link>
    );
  }
  return (
    <Link
      to="/app/chat/$threadId"
      params={{ threadId: thread.id }}
      className={LINK}
      activeProps={HERE}
    >
      {inside}
    </Link>
  );
}

/** Whether something is under way in the thread. */
function Dot({ threadId }: { threadId: string }) {
  const state = useView(
    useCallback(
      (view: View) => {
        const open = openTurns(view.conversations[threadId]?.turns ?? {});
        if (open.some((turn) => turn.state === "waiting")) return "waiting";
        return open.length ? "working" : "idle";
      },
      [threadId],
    ),
  );
  return (
    <span
      className={cx(
        "size-1.5 shrink-0 rounded-full bg-line",
        state === "working" && "animate-pulse bg-accent",
        state === "waiting" && "bg-warn",
      )}
    >
      {state !== "idle" && <span className="sr-only">{state}</span>}
    </span>
  );
}

export function threadName(thread: Thread): string {
  if (thread.kind === "master") return "Grow Agent";
  return thread.subAgentId || thread.title || "…";
}
