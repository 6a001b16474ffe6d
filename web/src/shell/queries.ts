/** What several places ask for: under one key, so that it is asked once. */
import { queryOptions } from "@tanstack/react-query";
import { ask, readAgent, readConfig } from "@/api";

export const agentQuery = queryOptions({
  queryKey: ["agent"],
  queryFn: () => ask(readAgent({ path: { user: "me" } })),
});

/** How to sign in here; anybody may know it. */
export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: () => ask(readConfig()),
});
