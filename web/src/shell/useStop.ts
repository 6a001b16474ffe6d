import { useParams, useRouterState } from "@tanstack/react-router";
import { useCallback } from "react";
import { ask, cancelTurn } from "@/api";
import { turnUnderWay, useMasterThread, useView, type View } from "@/stream";
import { tellProblem } from "@/ui";

/** Cancels the turn that is under way in the thread one looks at; null where there is none. */
export function useStop(): (() => void) | null {
  const threadId = useThreadHere();
  const turnId = useView(
    useCallback(
      (view: View) => {
        const turns = threadId ? view.conversations[threadId]?.turns : null;
        return turnUnderWay(turns ?? {})?.id ?? null;
      },
      [threadId],
    ),
  );
  if (!turnId) return null;
  return () => {
    ask(cancelTurn({ path: { turn_id: turnId } })).catch(tellProblem);
  };
}

function useThreadHere(): string | null {
  const master = useMasterThread();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { threadId, subAgentId } = useParams({ strict: false });
  const channel = useView(
    useCallback(
      (view: View) => (subAgentId && view.subAgents[subAgentId]?.threadId) || null,
      [subAgentId],
    ),
  );
  if (/^\/app\/?$/.test(path)) return master;
  return threadId ?? channel;
}
