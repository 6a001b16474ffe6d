import { useSearch } from "@tanstack/react-router";
import type { ConfigView } from "@/api";
import { nameOfWay } from "@/shell/ways";
import { CliLine } from "@/ui";
import { ClerkButton } from "./ClerkButton";
import { safeReturn } from "./enter";
import { getTicket } from "./fragment";

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
          Continue with {nameOfWay(provider)}
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
