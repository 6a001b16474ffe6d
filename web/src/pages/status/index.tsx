import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { toast } from "sonner";
import {
  ask,
  asProblem,
  readAgent,
  start,
  startWorkspace,
  stop,
  stopWorkspace,
  version,
} from "@/api";
import { type Service, useLine, useView, type View } from "@/stream";
import { Ago, Button, Card, CliLine, Page, ProblemNote, SkeletonList, StateBadge } from "@/ui";
import { Meters, USAGE } from "./Meters";

const ME = { user: "me" };
const WORKSPACE = { workspace_id: "me" };
const AGENT = ["agent"];
const seqOf = (view: View) => view.seq;
const servicesOf = (view: View) => view.services;

export function StatusPage() {
  const seq = useView(seqOf);
  const services = useView(servicesOf);
  const line = useLine();
  const queries = useQueryClient();
  // No event tells of waking and sleeping, so it is asked for too.
  const agent = useQuery({
    queryKey: AGENT,
    queryFn: () => ask(readAgent({ path: ME })),
    refetchInterval: 5000,
  });
  const { data: running } = useQuery({ queryKey: ["version"], queryFn: () => ask(version()) });
  // biome-ignore lint/correctness/useExhaustiveDependencies: again after each event
  useEffect(() => {
    const timer = setTimeout(() => {
      queries.invalidateQueries({ queryKey: AGENT });
      queries.invalidateQueries({ queryKey: USAGE });
    }, 700);
    return () => clearTimeout(timer);
  }, [seq, queries]);
  const desired = agent.data?.stack as Record<string, { desired?: string }> | undefined;
  return (
    <Page title="Status">
      <div className="mx-auto grid w-full max-w-5xl items-start gap-4 lg:grid-cols-2">
        <Card className="grid gap-4">
          <Head title="Grow Agent" state={agent.data?.state} />
          {agent.error && <ProblemNote error={agent.error} retry={() => agent.refetch()} />}
          {agent.isPending && <SkeletonList rows={2} />}
          {agent.data && (
            <>
              <Facts
                rows={[
                  ["Activity", agent.data.activity],
                  ["Epoch", agent.data.epoch],
                  ["Unfinished turns", agent.data.unfinished.length],
                ]}
              />
              <div className="flex gap-2">
                <Act words="Wake" act={() => ask(start({ path: ME }))} />
                <Act words="Send to sleep" act={() => ask(stop({ path: ME }))} />
              </div>
            </>
          )}
        </Card>
        {Object.values(services).map((service) => (
          <ServiceCard
            key={service.role}
            service={service}
            desired={desired?.[service.role]?.desired ?? "unknown"}
          />
        ))}
        <Card className="grid gap-4">
          <Head title="Spent today" />
          <Meters />
        </Card>
        <Card className="grid gap-4">
          <Head title="Instance" state={line.phase} />
          <Facts
            rows={[
              ["Version", running?.version ?? "…"],
              ["Newest event here", seq],
              ["Newest event there", agent.data?.seq ?? "…"],
            ]}
          />
          <CliLine line="growqr status" />
        </Card>
      </div>
    </Page>
  );
}

function ServiceCard({ service, desired }: { service: Service; desired: string }) {
  const own = service.role === "opencode";
  return (
    <Card className="grid gap-4">
      <Head title={own ? "OpenCode" : service.role} state={service.state} />
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

function Head({ title, state }: { title: string; state?: string }) {
  return (
    <div className="flex items-center justify-between gap-2">
      <h2 className="font-semibold">{title}</h2>
      {state && <StateBadge state={state} />}
    </div>
  );
}

type Fact = [string, ReactNode];

function Facts({ rows }: { rows: Fact[] }) {
  return (
    <dl className="grid gap-1.5 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="flex justify-between gap-4">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words text-right tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Act({ words, act }: { words: string; act: () => Promise<unknown> }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await act();
      await queries.invalidateQueries({ queryKey: AGENT });
    } catch (error) {
      toast.error(asProblem(error).detail);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="sm" busy={busy} onClick={go}>
      {words}
    </Button>
  );
}
