import { useQuery } from "@tanstack/react-query";
import { configQuery } from "@/shell/queries";
import { Card, ProblemNote, SkeletonList, useTitle } from "@/ui";
import { getTicket } from "./fragment";
import { useLinkTicket } from "./useLinkTicket";
import { Ways } from "./Ways";

export function SignInPage() {
  const { busy, problem, retry } = useLinkTicket();
  const config = useQuery(configQuery);
  useTitle("Sign in");
  return (
    <main className="scroll-thin grid h-full place-items-center overflow-y-auto p-4">
      <div className="grid w-full max-w-sm gap-5">
        <div className="grid justify-items-center gap-3 text-center">
          <img src="/assets/favicon.svg" alt="" className="size-12" />
          <h1 className="font-semibold text-2xl tracking-tight">Sign in to growqr</h1>
          {getTicket().invite && <p className="text-muted">You are invited. Choose how to join.</p>}
        </div>
        <Card className="grid gap-4 p-5">
          {busy && (
            <p role="status" className="py-6 text-center text-muted">
              Signing you in …
            </p>
          )}
          {problem && <ProblemNote error={problem} retry={retry} />}
          {!busy && config.isPending && <SkeletonList rows={2} />}
          {!busy && config.error && (
            <ProblemNote error={config.error} retry={() => config.refetch()} />
          )}
          {!busy && config.data && <Ways config={config.data} />}
        </Card>
        <p className="text-center text-faint text-xs">
          {config.data ? `growqr ${config.data.version}` : " "}
        </p>
      </div>
    </main>
  );
}
