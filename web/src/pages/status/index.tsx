import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ask, type ModelView, start, stop, version } from "@/api";
import { agentQuery } from "@/shell/queries";
import { useLine, useView, type View } from "@/stream";
import { Card, CliLine, Page, ProblemNote, SkeletonList } from "@/ui";
import { Meters, USAGE } from "./Meters";
import { Act, AGENT, Facts, Head } from "./parts";
import { ServiceCard } from "./ServiceCard";

const ME = { user: "me" };
const seqOf = (view: View) => view.seq;
const servicesOf = (view: View) => view.services;

export function StatusPage() {
  const seq = useView(seqOf);
  const services = useView(servicesOf);
  const line = useLine();
  const queries = useQueryClient();
  // No event tells of waking and sleeping, so it is asked for too.
  const agent = useQuery({
    ...agentQuery,
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
                  ["Model", modelName(agent.data.model)],
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

/** The one that answered last. */
function modelName(model: ModelView | null): string {
  if (!model) return "none has answered yet";
  if (model.provider === "scripted") return `${model.name} · built-in, offline`;
  return `${model.name} · ${model.provider}`;
}
