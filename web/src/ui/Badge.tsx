import type { ReactNode } from "react";
import { cx } from "./cx";

export type Tone = "neutral" | "good" | "warn" | "bad" | "info";

const TONES: Record<Tone, string> = {
  neutral: "bg-sunken text-muted",
  good: "bg-accent-soft text-accent",
  warn: "bg-warn-soft text-warn",
  bad: "bg-danger-soft text-danger",
  info: "bg-info-soft text-info",
};

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={cx(
        "inline-flex items-center gap-1 whitespace-nowrap rounded-full px-2 py-0.5 text-xs font-medium",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

const STATES: Record<string, Tone> = {
  completed: "good",
  ready: "good",
  done: "good",
  approved: "good",
  answered: "good",
  awake: "good",
  running: "info",
  working: "info",
  started: "info",
  starting: "info",
  queued: "info",
  waiting: "warn",
  open: "warn",
  backoff: "warn",
  paused: "warn",
  unknown: "warn",
  unhealthy: "warn",
  failed: "bad",
  denied: "bad",
};

/** The tone of a state's word, whatever it is the state of. */
export function toneOf(state: string): Tone {
  return STATES[state] ?? "neutral";
}

export function StateBadge({ state }: { state: string }) {
  return <Badge tone={toneOf(state)}>{state.replace("_", " ")}</Badge>;
}
