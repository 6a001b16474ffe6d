import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { ConfigView } from "@/api";
import { Button, CliLine, ProblemNote } from "@/ui";
import { clerkToken } from "./clerk";
import { byToken, safeReturn, useEnter } from "./enter";
import { getTicket } from "./fragment";

const NAMES: Record<string, string> = { github: "GitHub", google: "Google" };

/** The ways in that this instance has. */
export function Ways({ config }: { config: ConfigView }) {
  const { return_to } = useSearch({ from: "/app/sign-in" });
  const providers = config.sign_in.filter((way) => way !== "link" && way !== "clerk");
  return (
    <>
      {config.clerk && <ClerkButton clerk={config.clerk} />}
      {providers.map((provider) => (
        <a
          key={provider}
          href={providerUrl(provider, return_to)}
          className="inline-flex h-10 items-center justify-center rounded-lg border border-line bg-surface font-medium hover:bg-sunken"
        >
          Continue with {NAMES[provider] ?? provider}
        </a>
      ))}
      {config.sign_in.includes("link") && (
        <div className="grid gap-2">
          <p className="text-muted text-sm">
            {config.sign_in.length > 1 ? "Or open a one-time link." : "Open a one-time link."} On
            the machine where growqr runs, this prints one:
          </p>
          <CliLine line="growqr link" />
        </div>
      )}
      {!config.sign_in.length && (
        <p className="text-muted">This instance has no way to sign in by a browser.</p>
      )}
    </>
  );
}

function providerUrl(provider: string, returnTo: string | undefined): string {
  const query = new URLSearchParams({ return_to: safeReturn(returnTo) });
  const { invite } = getTicket();
  if (invite) query.set("invite", invite);
  return `/auth/${encodeURIComponent(provider)}?${query}`;
}

function ClerkButton({ clerk }: { clerk: NonNullable<ConfigView["clerk"]> }) {
  const enter = useEnter();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const go = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const token = await clerkToken(clerk.frontend_api, clerk.publishable_key);
      await byToken(token, getTicket().invite);
      await enter();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <>
      <Button look="primary" busy={busy} onClick={go}>
        Continue
      </Button>
      {problem !== null && <ProblemNote error={problem} />}
    </>
  );
}
