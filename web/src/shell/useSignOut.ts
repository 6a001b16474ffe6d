import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ask, logOut } from "@/api";
import { leaveClerk } from "@/pages/sign-in/clerk";
import { stream } from "@/stream";
import { tellProblem } from "@/ui";
import { forgetDrafts } from "./drafts";
import { configQuery } from "./queries";

/** Signs this browser out; what `before` does comes first, and stops it when it fails. */
export function useSignOut() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return async (before?: () => Promise<void>) => {
    try {
      await before?.();
      await ask(logOut());
    } catch (error) {
      tellProblem(error);
      return;
    }
    stream.stop();
    forgetDrafts();
    leaveProvider(queries).catch(tellProblem);
    await navigate({ to: "/app/sign-in" });
    forgetAnswers(queries);
  };
}

/** Else the next one to press its button would come in as whoever has just left. */
async function leaveProvider(queries: QueryClient): Promise<void> {
  const { clerk } = await queries.fetchQuery(configQuery);
  if (clerk) await leaveClerk(clerk);
}

/** Nothing that the api told them is shown to the next one, who may press "Back". */
function forgetAnswers(queries: QueryClient): void {
  const [config] = configQuery.queryKey;
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== config });
}
