import { useQuery } from "@tanstack/react-query";
import { ask, endSignIn, listSignIns } from "@/api";
import { nameOfWay } from "@/shell/ways";
import { Ago, Badge, Button, confirm, ProblemNote, SkeletonList, tellProblem } from "@/ui";
import { browserOf } from "./browsers";

export function SignIns() {
  const list = useQuery({ queryKey: ["sign-ins"], queryFn: () => ask(listSignIns()) });
  const rows = (list.data?.data ?? []).toReversed(); // the newest first
  const others = rows.filter((one) => !one.current).map((one) => one.id);
  const end = async (ids: string[]) => {
    const title = ids.length > 1 ? "Sign all others out?" : "Sign it out?";
    if (!(await confirm({ title, text: "It holds at once.", yes: "Sign out" }))) return;
    try {
      for (const sign_in_id of ids) await ask(endSignIn({ path: { sign_in_id } }));
    } catch (error) {
      tellProblem(error);
    }
    await list.refetch();
  };
  return (
    <section className="grid gap-4">
      <div className="flex items-center justify-between gap-3">
        <p className="text-muted">Browsers that are signed in as you.</p>
        {others.length > 1 && <Button onClick={() => end(others)}>Sign out all others</Button>}
      </div>
      {list.error && <ProblemNote error={list.error} retry={() => list.refetch()} />}
      {list.isPending && <SkeletonList rows={2} />}
      <ul aria-label="Signed-in browsers" className="grid gap-2">
        {rows.map((one) => (
          <li key={one.id} className="flex items-center gap-3 rounded-xl border p-3">
            <div className="min-w-0 flex-1">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {browserOf(one.agent)} {one.current && <Badge tone="good">this browser</Badge>}
              </p>
              <p className="break-words text-faint text-xs">
                by {nameOfWay(one.way)} · {one.address} · used <Ago time={one.used_at} /> · until{" "}
                {new Date(one.expires_at).toLocaleDateString()}
              </p>
            </div>
            {!one.current && (
              <Button size="sm" onClick={() => end([one.id])}>
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
