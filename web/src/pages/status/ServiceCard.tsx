import { ask, startWorkspace, stopWorkspace } from "@/api";
import type { Service } from "@/stream";
import { Ago, Card } from "@/ui";
import { Act, type Fact, Facts, Head } from "./parts";

const WORKSPACE = { workspace_id: "me" };
const NAMES: Record<string, string> = { opencode: "OpenCode", gitea: "Gitea" };

export function ServiceCard({ service, desired }: { service: Service; desired: string }) {
  const own = service.role === "opencode";
  if (isOffGitea(service, desired)) return <GiteaOff />;
  return (
    <Card className="grid gap-4">
      <Head title={NAMES[service.role] ?? service.role} state={service.state} />
      {service.reason && <p className="break-words text-muted text-sm">{service.reason}</p>}
      <Facts
        rows={[
          ["Wanted", desired],
          ["Generation", service.generation],
          ...(service.retryAt
            ? [["Next try", new Date(service.retryAt).toLocaleTimeString()] as Fact]
            : []),
          ...(service.decision
            ? [["Decided", `${service.decision.decision}: ${service.decision.why}`] as Fact]
            : []),
        ]}
      />
      {service.news.length > 0 && (
        <ol aria-label="News" className="grid gap-1 border-t pt-3 text-sm">
          {service.news.slice(-5).map((one) => (
            <li key={one.seq} className="flex gap-3">
              <span className="w-20 shrink-0 text-muted">{one.state}</span>
              <span className="min-w-0 flex-1 break-words text-muted">{one.text}</span>
              <span className="shrink-0 text-faint text-xs">
                <Ago time={one.time} />
              </span>
            </li>
          ))}
        </ol>
      )}
      {own && (
        <div className="flex gap-2">
          <Act words="Start" act={() => ask(startWorkspace({ path: WORKSPACE }))} />
          <Act words="Stop" act={() => ask(stopWorkspace({ path: WORKSPACE }))} />
        </div>
      )}
    </Card>
  );
}

/** Where the instance has a Gitea for each user, it is wanted from the first visit on. */
function isOffGitea(service: Service, desired: string): boolean {
  return service.role === "gitea" && service.state === "absent" && desired === "stopped";
}

function GiteaOff() {
  return (
    <Card className="grid gap-3">
      <Head title="Gitea" state="off" />
      <p className="text-muted text-sm">
        You have no Gitea of your own here, and nothing needs one: memory and repositories work
        without it. Whoever runs the instance turns it on by{" "}
        <code className="break-all font-mono text-ink">GROWQR_GITEA=per_user</code>.
      </p>
    </Card>
  );
}
