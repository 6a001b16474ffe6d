import { getRouteApi } from "@tanstack/react-router";
import { ShieldX } from "lucide-react";
import { useWho } from "@/shell/useWho";
import { EmptyState, Page, ProblemNote, SkeletonList, Tabs } from "@/ui";
import { Audit } from "./Audit";
import { Invites } from "./Invites";
import { type AdminTab, isAdminTab } from "./tabs";
import { Users } from "./Users";

const route = getRouteApi("/shell/app/admin");

/** Who may come in, and who did what. */
export function AdminPage() {
  const who = useWho();
  return (
    <Page title="Admin">
      <div className="mx-auto w-full max-w-4xl">
        {who.error && <ProblemNote error={who.error} retry={() => who.refetch()} />}
        {who.isPending && <SkeletonList rows={3} />}
        {who.data &&
          (who.data.user.role === "admin" ? <Sections /> : <NotForYou id={who.data.user.id} />)}
      </div>
    </Page>
  );
}

function Sections() {
  const { tab = "users" } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (id: string) => {
    if (isAdminTab(id)) navigate({ search: { tab: id } });
  };
  const tabs: { id: AdminTab; label: string; content: React.ReactNode }[] = [
    { id: "users", label: "Users", content: <Users /> },
    { id: "invites", label: "Invites", content: <Invites /> },
    { id: "audit", label: "Audit log", content: <Audit /> },
  ];
  return <Tabs label="Admin" value={tab} onChange={open} tabs={tabs} />;
}

function NotForYou({ id }: { id: string }) {
  return (
    <EmptyState
      icon={<ShieldX />}
      title="This page is for admins"
      cli={`growqr users promote ${id}`}
    >
      You are a member. An admin can make you one, and so can whoever runs the machine, by:
    </EmptyState>
  );
}
