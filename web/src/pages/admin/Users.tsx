import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { ask, askAll, type Change, changeUser, listUsers, type MemberView } from "@/api";
import { useWho } from "@/shell/useWho";
import {
  Ago,
  Badge,
  Button,
  CliLine,
  confirm,
  Input,
  ProblemNote,
  Select,
  SkeletonList,
  tellProblem,
} from "@/ui";
import { found, MOST } from "./found";

const USERS = ["admin", "users"];

export function Users() {
  const users = useQuery({
    queryKey: USERS,
    queryFn: () => askAll((cursor) => listUsers({ query: { limit: 200, cursor } })),
  });
  const me = useWho().data?.user.id;
  const [words, setWords] = useState("");
  const rows = found(users.data ?? [], useDeferredValue(words));
  return (
    <section className="grid gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted">Everybody who was ever here.</p>
        <CliLine line="growqr users ls" />
      </div>
      <Input
        type="search"
        aria-label="Search users"
        placeholder="Name, id, e-mail, role or “suspended”"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <p role="status" className="text-muted text-sm empty:hidden">
        {users.data && amountOf(rows.length, users.data.length)}
      </p>
      {users.error && <ProblemNote error={users.error} retry={() => users.refetch()} />}
      {users.isPending && <SkeletonList rows={3} />}
      <ul aria-label="Users" className="grid gap-2">
        {rows.slice(0, MOST).map((user) => (
          <UserRow key={user.id} user={user} isMe={user.id === me} />
        ))}
      </ul>
    </section>
  );
}

function amountOf(rows: number, all: number): string {
  if (!rows) return "Nobody is like that.";
  if (rows > MOST)
    return `The first ${MOST} of ${rows.toLocaleString("en")}. Search for the others.`;
  return rows < all ? `${rows.toLocaleString("en")} of ${all.toLocaleString("en")}` : "";
}

function UserRow({ user, isMe }: { user: MemberView; isMe: boolean }) {
  const { busy, change } = useChange(user.id);
  const suspended = user.suspended_at !== null;
  const give = async (role: MemberView["role"]) => {
    if (await confirm(giving(user, role))) await change({ role });
  };
  const toggle = async () => {
    if (suspended || (await confirm(suspending(user)))) await change({ suspended: !suspended });
  };
  return (
    <li className="flex flex-wrap items-center gap-3 rounded-xl border p-3">
      <div className="min-w-48 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          <span className="break-all">{user.name}</span>
          {isMe && <Badge tone="info">you</Badge>}
          {suspended && <Badge tone="bad">suspended</Badge>}
        </p>
        <p className="break-all text-muted text-sm">{user.email ?? "no e-mail"}</p>
        <p className="break-words text-faint text-xs">
          <span className="break-all font-mono">{user.id}</span> · by {user.issuer} · since{" "}
          <Ago time={user.created_at} />
        </p>
      </div>
      <div className="flex items-center gap-2">
        <Select
          aria-label={`Role of ${user.name}`}
          className="h-8 w-28 py-0 text-sm"
          value={user.role}
          disabled={busy}
          onChange={(event) => give(event.target.value as MemberView["role"])}
        >
          <option value="member">member</option>
          <option value="admin">admin</option>
        </Select>
        <Button size="sm" look={suspended ? "plain" : "danger"} busy={busy} onClick={toggle}>
          {suspended ? "Restore" : "Suspend"}
          <span className="sr-only"> {user.name}</span>
        </Button>
      </div>
    </li>
  );
}

function giving({ name }: MemberView, role: MemberView["role"]) {
  return role === "admin"
    ? {
        title: `Make ${name} an admin?`,
        text: "Admins change users and invite.",
        yes: "Make admin",
      }
    : {
        title: `Make ${name} a member?`,
        text: "They see no admin pages then.",
        yes: "Make member",
      };
}

function suspending({ name }: MemberView) {
  const text = "They are signed out everywhere and their turns end. Nothing of theirs is removed.";
  return { title: `Suspend ${name}?`, text, yes: "Suspend", danger: true };
}

/** The server says why when it refuses, such as for the last admin. */
function useChange(member_id: string) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const change = async (body: Change) => {
    setBusy(true);
    try {
      await ask(changeUser({ path: { member_id }, body }));
      await queries.invalidateQueries({ queryKey: USERS });
      await queries.invalidateQueries({ queryKey: ["who-am-i"] }); // it may be oneself
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { busy, change };
}
