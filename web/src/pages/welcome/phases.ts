/** The phases until everything of a user is there, from what is known of them. */
import type { BootstrapView } from "@/api";
import type { Service } from "@/stream";

export type PhaseState = "waiting" | "running" | "done" | "failed";

export interface Phase {
  id: "account" | "agent" | "opencode" | "memory";
  title: string;
  state: PhaseState;
  /** What it does now, or why it failed. */
  text: string | null;
  /** What was told before, oldest first. */
  lines: string[];
}

const BROKEN = new Set(["failed", "backoff", "unhealthy"]);

interface Known {
  boot: { data?: BootstrapView; error: string | null };
  awake: boolean;
  opencode: Service | undefined;
  memory: { done: boolean; error: string | null };
}

export function phasesOf({ boot, awake, opencode, memory }: Known): Phase[] {
  const here = boot.data !== undefined;
  const name = boot.data?.user.name;
  return [
    plain("account", "Your account", true, here, boot.error, name ? `You are ${name}.` : null),
    plain("agent", "Your Grow Agent", here, awake, null, awake ? "Awake." : "Waking up."),
    service(opencode, here),
    plain("memory", "Your memory", here, memory.done, memory.error, "Readable and kept in git."),
  ];
}

function plain(
  id: Phase["id"],
  title: string,
  begun: boolean,
  done: boolean,
  error: string | null,
  text: string | null,
): Phase {
  const state = done ? "done" : error ? "failed" : begun ? "running" : "waiting";
  return { id, title, state, text: error ?? (state === "waiting" ? null : text), lines: [] };
}

function service(opencode: Service | undefined, begun: boolean): Phase {
  const now = opencode?.state ?? "absent";
  const done = now === "ready" || now === "paused";
  const state = done ? "done" : BROKEN.has(now) ? "failed" : begun ? "running" : "waiting";
  const lines = (opencode?.news ?? []).flatMap((one) => (one.text ? [one.text] : [])).slice(-4);
  const plainly = state === "failed" ? "It did not start." : begun ? "Starting." : null;
  const text = done ? "Ready for sub-agents." : (opencode?.reason ?? plainly);
  return { id: "opencode", title: "OpenCode, where sub-agents work", state, text, lines };
}
