import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { MailPlus } from "lucide-react";
import { useState } from "react";
import { ask, askAll, type InviteView, listInvites, withdrawInvite } from "@/api";
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
  useNow,
} from "@/ui";
import { NewInvite } from "./NewInvite";

const route = getRouteApi("/shell/app/admin");

export function Invites() {
  const making = route.useSearch().make === true;
  const navigate = route.useNavigate();
  const setMaking = (make: boolean) =>
    navigate({ search: { tab: "invites", ...(make && { make }) }, replace: true });
  const [link, setLink] = useState<string | null>(null);
  const invites = useQuery({
    queryKey: ["admin", "invites"],
    queryFn: () => askAll((cursor) => listInvites({ query: { limit: 200, cursor } })),
  });
  const made = (url: string) => {
    setMaking(false);
    setLink(url);
    invites.refetch();
  };
  return (
    <section className="grid gap-4">
      <div className="flex items-center justify-between gap-3">
        <p className="text-muted">An invite lets one person in, within 7 days.</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          New invite
        </Button>
      </div>
      {invites.error && <ProblemNote error={invites.error} retry={() => invites.refetch()} />}
      {invites.isPending && <SkeletonList rows={3} />}
      {invites.data?.length === 0 && (
        <EmptyState icon={<MailPlus />} title="No invites" cli="growqr users ls">
          Nobody new is invited. Who is here already, this lists:
        </EmptyState>
      )}
      <ul aria-label="Invites" className="grid gap-2">
        {invites.data?.toReversed().map((invite) => (
          <InviteRow key={invite.id} invite={invite} onGone={() => invites.refetch()} />
        ))}
      </ul>
      <Dialog open={making} onOpenChange={setMaking} title="New invite">
        <NewInvite onMade={made} />
      </Dialog>
      <SecretDialog title="Invite link" what="Link" secret={link} onClose={() => setLink(null)} />
    </section>
  );
}

function InviteRow({ invite, onGone }: { invite: InviteView; onGone: () => void }) {
  const state = stateOf(invite, useNow());
  const whom = invite.email ?? "anyone with the link";
  const revoke = async () => {
    const text = "Its link opens nothing any more.";
    if (!(await confirm({ title: "Revoke the invite?", text, yes: "Revoke", danger: true })))
      return;
    try {
      await ask(withdrawInvite({ path: { invite_id: invite.id } }));
    } catch (error) {
      tellProblem(error);
    }
    onGone();
  };
  return (
    <li className="flex items-center gap-3 rounded-xl border p-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          <span className="break-all">For {whom}</span>
          <Badge tone={state === "open" ? "good" : "neutral"}>{state}</Badge>
          {invite.role === "admin" && <Badge tone="warn">as admin</Badge>}
        </p>
        <p className="break-words text-faint text-xs">
          made <Ago time={invite.created_at} /> by {invite.created_by}
          {invite.used_by
            ? ` · used by ${invite.used_by}`
            : ` · until ${new Date(invite.expires_at).toLocaleString()}`}
        </p>
      </div>
      {state === "open" && (
        <Button size="sm" look="danger" onClick={revoke}>
          Revoke<span className="sr-only"> the invite for {whom}</span>
        </Button>
      )}
    </li>
  );
}

function stateOf(invite: InviteView, now: number): "open" | "used" | "expired" {
  if (invite.used_at) return "used";
  return Date.parse(invite.expires_at) < now ? "expired" : "open";
}
