import { useQuery } from "@tanstack/react-query";
import { ask, endSignIn, listSignIns, readConfig, unlink } from "@/api";
import { useSignOut } from "@/shell/useSignOut";
import { useWho } from "@/shell/useWho";
import { Badge, Button, confirm, ProblemNote, SkeletonList, tellProblem } from "@/ui";

const NAMES: Record<string, string> = { github: "GitHub", google: "Google" };

export function Account() {
  const me = useWho();
  const config = useQuery({ queryKey: ["config"], queryFn: () => ask(readConfig()) });
  const signOut = useSignOut();
  const signOutEverywhere = () =>
    signOut(async () => {
      const { data } = await ask(listSignIns());
      const others = data.filter((one) => !one.current);
      for (const one of others) await ask(endSignIn({ path: { sign_in_id: one.id } }));
    });
  const forget = async (provider: string) => {
    const title = `Unlink ${NAMES[provider] ?? provider}?`;
    if (!(await confirm({ title, text: "You cannot sign in by it then.", yes: "Unlink" }))) return;
    try {
      await ask(unlink({ path: { provider } }));
      await me.refetch();
    } catch (error) {
      tellProblem(error);
    }
  };
  if (me.error) return <ProblemNote error={me.error} retry={() => me.refetch()} />;
  if (!me.data) return <SkeletonList rows={3} />;
  const { user, providers } = me.data;
  const possible = config.data?.sign_in.filter((way) => way !== "link" && way !== "clerk") ?? [];
  const accounts = [...new Set([...possible, ...providers])]; // a linked one may be offered no more
  return (
    <section className="grid gap-6">
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
        {[
          ["Name", user.name],
          ["Id", user.id],
          ["Role", user.role],
          ["E-mail", user.email ?? "none"],
        ].map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-all">{value}</dd>
          </div>
        ))}
      </dl>
      {accounts.length > 0 && (
        <ul aria-label="Accounts" className="grid gap-2">
          {accounts.map((one) => (
            <li key={one} className="flex items-center gap-3 rounded-xl border p-3">
              <span className="font-medium">{NAMES[one] ?? one}</span>
              {providers.includes(one) ? (
                <>
                  <Badge tone="good">linked</Badge>
                  <Button size="sm" className="ml-auto" onClick={() => forget(one)}>
                    Unlink
                  </Button>
                </>
              ) : (
                <a
                  className="ml-auto text-accent underline"
                  href={`/auth/${encodeURIComponent(one)}?return_to=/app/settings`}
                >
                  {`Link ${NAMES[one] ?? one}`}
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => signOut()}>Sign out here</Button>
        <Button look="danger" onClick={signOutEverywhere}>
          Sign out everywhere
        </Button>
      </div>
    </section>
  );
}
