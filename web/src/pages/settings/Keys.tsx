import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { type ApiKeyView, ask, askAll, listApiKeys, revokeApiKey } from "@/api";
import {
  Ago,
  Badge,
  Button,
  confirm,
  Dialog,
  EmptyState,
  ProblemNote,
  SecretDialog,
  SkeletonList,
  tellProblem,
} from "@/ui";
import { NewKey } from "./NewKey";

const route = getRouteApi("/shell/app/settings");

export function Keys() {
  const making = route.useSearch().make === true;
  const navigate = route.useNavigate();
  const setMaking = (make: boolean) =>
    navigate({ search: { tab: "keys", ...(make && { make }) }, replace: true });
  const [made, setMade] = useState<string | null>(null);
  const keys = useQuery({
    queryKey: ["api-keys"],
    queryFn: () => askAll((cursor) => listApiKeys({ query: { limit: 200, cursor } })),
  });
  const revoke = async (key: ApiKeyView) => {
    const text = `Programs that use ${key.prefix}… are refused at once.`;
    if (!(await confirm({ title: `Revoke ${key.name}?`, text, yes: "Revoke", danger: true })))
      return;
    try {
      await ask(revokeApiKey({ path: { key_id: key.id } }));
      await keys.refetch();
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <section className="grid gap-4">
      <div className="flex items-center justify-between gap-3">
        <p className="text-muted">Keys let programs in; each may do what its scopes say.</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          New key
        </Button>
      </div>
      {keys.error && <ProblemNote error={keys.error} retry={() => keys.refetch()} />}
      {keys.isPending && <SkeletonList rows={3} />}
      {keys.data?.length === 0 && (
        <EmptyState icon={<KeyRound />} title="No keys" cli="growqr token">
          A token of the command line is good for 12 hours; a key as long as you say.
        </EmptyState>
      )}
      <ul className="grid gap-2">
        {keys.data?.map((key) => (
          <li key={key.id} className="flex items-start gap-3 rounded-xl border p-3">
            <div className="grid min-w-0 flex-1 gap-1">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                <span className="break-all">{key.name}</span>
                <code className="font-mono font-normal text-faint text-xs">{key.prefix}…</code>
                <Ended of={key} />
              </p>
              <p className="break-words font-mono text-muted text-xs">{key.scopes.join(", ")}</p>
              <p className="text-faint text-xs">
                made <Ago time={key.created_at} /> ·{" "}
                {key.used_at ? (
                  <>
                    used <Ago time={key.used_at} />
                  </>
                ) : (
                  "never used"
                )}
                {key.expires_at && ` · ends ${new Date(key.expires_at).toLocaleDateString()}`}
                {key.day_tokens && ` · ${key.day_tokens.toLocaleString()} tokens a day`}
              </p>
            </div>
            {!key.revoked_at && (
              <Button size="sm" look="danger" onClick={() => revoke(key)}>
                Revoke<span className="sr-only"> {key.name}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Dialog open={making} onOpenChange={setMaking} title="New API key">
        <NewKey
          onMade={(key) => {
            setMaking(false);
            setMade(key);
            keys.refetch();
          }}
        />
      </Dialog>
      <SecretDialog title="Your new key" what="Key" secret={made} onClose={() => setMade(null)} />
    </section>
  );
}

function Ended({ of }: { of: ApiKeyView }) {
  if (of.revoked_at) return <Badge tone="bad">revoked</Badge>;
  const over = of.expires_at && Date.parse(of.expires_at) < Date.now();
  return over ? <Badge tone="warn">expired</Badge> : null;
}
