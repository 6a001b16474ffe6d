import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { ask, bootstrap, exchange } from "@/api";
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

/** Only to pages of ours: `/app`, `/app/…`. */
export function safeReturn(to: string | undefined): string {
  return to && /^\/app(?:[/?][^\\]*)?$/.test(to) ? to : "/app";
}

function forget(queries: QueryClient): void {
  stream.stop(); // somebody else may have been here
  queries.clear();
}

/** Where to go once signed in: back, or to the welcome page at the first visit. */
export function useEnter(): () => Promise<void> {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { return_to } = useSearch({ from: "/app/sign-in" });
  return useCallback(async () => {
    forget(queries);
    const { agent } = await ask(bootstrap());
    const to = agent.seq === 0 ? "/app/welcome" : safeReturn(return_to);
    await navigate({ href: to, replace: true });
  }, [navigate, queries, return_to]);
}
