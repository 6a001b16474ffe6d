import { useQuery } from "@tanstack/react-query";
import { ask, readTurn, type TurnView } from "@/api";
import type { SubAgent } from "@/stream";
import { oneLine } from "./words";

export interface Task {
  /** When it began and ended; null where nobody knows, or where it has not. */
  startedAt: string | null;
  endedAt: string | null;
  tokens: number | null;
  microUsd: number | null;
  /** How it ended, in words; null while it has not. */
  outcome: string | null;
}

/**
 * The newest task of a sub-agent. What it used is asked for, as no event tells: once the row is
 * shown, and again when the state changes.
 */
export function useTask(agent: SubAgent, shown: boolean): Task {
  const { turnId, state, endedAt } = agent;
  const { data } = useQuery({
    queryKey: ["turn", turnId, state, endedAt],
    queryFn: () => ask(readTurn({ path: { turn_id: turnId ?? "" } })),
    enabled: shown && turnId !== null,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before: TurnView | undefined) => (before?.id === turnId ? before : undefined),
  });
  return taskOf(agent, data);
}

/** What events told of it, and the rest from what was read. */
export function taskOf(agent: SubAgent, turn: TurnView | undefined): Task {
  const usage = turn?.usage;
  const used = usage?.calls ? usage : null;
  const working = agent.state === "working" || agent.state === "waiting";
  // A task that is queued has the times of the one before in the events.
  const told = working && agent.endedAt ? null : agent;
  return {
    startedAt: told?.startedAt ?? turn?.started_at ?? null,
    endedAt: working ? null : (told?.endedAt ?? turn?.finished_at ?? null),
    tokens: used ? (used.input_tokens ?? 0) + (used.output_tokens ?? 0) : null,
    microUsd: used ? (used.micro_usd ?? 0) : null,
    outcome: turn ? outcomeOf(turn) : null,
  };
}

function outcomeOf({ state, result, error }: TurnView): string | null {
  if (state === "cancelled") return "Cancelled";
  const words = result ?? error?.message;
  return typeof words === "string" ? oneLine(words) : null;
}
