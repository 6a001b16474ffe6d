import { useMutation, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { ask, asProblem, bootstrap, listMemory, provision } from "@/api";
import { agentQuery } from "@/shell/queries";
import { useView, type View } from "@/stream";
import { type Phase, phasesOf } from "./phases";

/** Makes everything of a user ready, and tells how far it is. */
export function useProvision(): { phases: Phase[]; retry: () => void; busy: boolean } {
  const opencode = useView(useCallback((view: View) => view.services.opencode, []));
  const ready = useMutation({
    mutationFn: async () => {
      const made = await ask(bootstrap());
      await ask(provision());
      return made;
    },
  });
  const { mutate } = ready;
  useEffect(() => {
    const timer = setTimeout(() => mutate()); // once, also where effects run twice
    return () => clearTimeout(timer);
  }, [mutate]);
  const begun = ready.isSuccess;
  const agent = useQuery({
    ...agentQuery,
    enabled: begun,
    refetchInterval: (query) => (query.state.data?.state === "awake" ? false : 1000),
  });
  const memory = useQuery({
    queryKey: ["memory", "first"],
    queryFn: () => ask(listMemory({ query: { limit: 1 } })),
    enabled: begun,
  });
  const told = (error: unknown) => (error ? asProblem(error).detail : null);
  const phases = phasesOf({
    boot: { data: ready.data, error: told(ready.error) },
    awake: agent.data?.state === "awake",
    opencode,
    memory: { done: memory.isSuccess, error: told(memory.error) },
  });
  const retry = () => {
    mutate();
    if (memory.error) memory.refetch();
  };
  return { phases, retry, busy: ready.isPending };
}
