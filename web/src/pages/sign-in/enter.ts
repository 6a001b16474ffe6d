import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { ask, bootstrap, exchange } from "@/api";
import { agentQuery } from "@/shell/queries";
import { stream } from "@/stream";

/** Sign in by a link's ticket. Throws Problem. */
export async function byLink(link: string): Promise<void> {
  await ask(exchange({ body: { link } }));
}

/** Sign in by a bearer token of an issuer; an invite lets somebody new in. Throws Problem. */
export async function byToken(token: string, invite: string | null): Promise<void> {
  await ask(
    exchange({ body: invite ? { invite } : {}, headers: { Authorization: `Bearer ${token}` } }),
  );
}

const HERE = "http://here";

/** Only to pages of ours, `/app` and `/app/…`, as a browser would understand the address. */
export function safeReturn(to: string | undefined): string {
  if (!to?.startsWith("/app") || to.includes("\\")) return "/app";
  const { pathname, search } = new URL(to, HERE);
  return /^\/app(\/|$)/.test(pathname) ? pathname + search : "/app";
}

function forget(queries: QueryClient): void {
  stream.stop(); // somebody else may have been here
  queries.clear();
}

/** Wakes the agent of whoever has signed in, and leads back to where they wanted to go. */
export function useEnter(): () => Promise<void> {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { return_to } = useSearch({ from: "/app/sign-in" });
  return useCallback(async () => {
    forget(queries);
    const { agent } = await ask(bootstrap());
    queries.setQueryData(agentQuery.queryKey, agent); // the shell asks it who is new
    await navigate({ href: safeReturn(return_to), replace: true });
  }, [navigate, queries, return_to]);
}
