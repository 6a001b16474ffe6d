import { useQuery } from "@tanstack/react-query";
import { ask, whoAmI } from "@/api";

/** Who is signed in, with their role and their accounts at providers. */
export function useWho() {
  return useQuery({ queryKey: ["who-am-i"], queryFn: () => ask(whoAmI()) });
}

/** Hides what only admins may do; the server is who refuses. */
export function useIsAdmin(): boolean {
  return useWho().data?.user.role === "admin";
}
