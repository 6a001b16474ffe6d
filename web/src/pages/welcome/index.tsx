import { Link } from "@tanstack/react-router";
import { Page } from "@/ui";
import { PhaseRow } from "./PhaseRow";
import { useProvision } from "./useProvision";

export function WelcomePage() {
  const { phases, retry, busy } = useProvision();
  const done = phases.every((phase) => phase.state === "done");
  return (
    <Page title="Welcome">
      <div className="mx-auto grid w-full max-w-xl gap-6 md:pt-6">
        <div className="grid gap-1.5">
          <h2 className="font-semibold text-2xl tracking-tight">
            {done ? "Everything is ready" : "Making things ready for you"}
          </h2>
          <p className="text-muted">
            {done
              ? "Your agent waits for what you say."
              : "You may begin at once: your agent answers while OpenCode still starts."}
          </p>
        </div>
        <ol aria-label="Phases" className="grid gap-1">
          {phases.map((phase, at) => (
            <PhaseRow
              key={phase.id}
              phase={phase}
              last={at === phases.length - 1}
              retry={retry}
              busy={busy}
            />
          ))}
        </ol>
        <Link
          to="/app"
          className="inline-flex h-10 items-center justify-center justify-self-start rounded-lg bg-accent px-4 font-medium text-on-accent hover:bg-accent-strong"
        >
          Begin
        </Link>
      </div>
    </Page>
  );
}
