import { useQuery } from "@tanstack/react-query";
import { ask, endSignIn, listSignIns, unlink } from "@/api";
import { configQuery } from "@/shell/queries";
import { useSignOut } from "@/shell/useSignOut";
import { useWho } from "@/shell/useWho";
import { nameOfWay } from "@/shell/ways";
import { Badge, Button, confirm, ProblemNote, SkeletonList, tellProblem } from "@/ui";

export function Account() {
  const me = useWho();
  const config = useQuery(configQuery);
  const signOut = useSignOut();
  const signOutEverywhere = () =>
    signOut(async () => {
      const { data } = await ask(listSignIns());
      const others = data.filter((one) => !one.current);
      for (const one of others) await ask(endSignIn({ path: { sign_in_id: one.id } }));
    });
  const forget = async (provider: string) => {
    const title = `Unlink ${nameOfWay(provider)}?`;
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
              <span className="font-medium">{nameOfWay(one)}</span>
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
                  {`Link ${nameOfWay(one)}`}
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
