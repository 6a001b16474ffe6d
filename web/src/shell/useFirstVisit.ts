import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { AgentView } from "@/api";
import { agentQuery } from "./queries";

/** Nothing of theirs has happened yet, and nothing was asked for. */
export function isNew({ seq, stack }: AgentView): boolean {
  return seq === 0 && stack.opencode.desired !== "ready";
}

/** Whoever is new here is led to the welcome page, however they came in and whatever for. */
export function useFirstVisit(): void {
  const navigate = useNavigate();
  const queries = useQueryClient();
  useEffect(() => {
    const welcome = async () => {
      const agent = await queries.fetchQuery(agentQuery);
      if (isNew(agent)) await navigate({ to: "/app/welcome", replace: true });
    };
    welcome().catch(() => undefined); // the pages tell what is wrong
  }, [navigate, queries]);
}
