import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { agentQuery } from "@/shell/queries";
import { Button, StateBadge, tellProblem } from "@/ui";

export const AGENT = agentQuery.queryKey;

export function Head({ title, state }: { title: string; state?: string }) {
  return (
    <div className="flex items-center justify-between gap-2">
      <h2 className="font-semibold">{title}</h2>
      {state && <StateBadge state={state} />}
    </div>
  );
}

export type Fact = [string, ReactNode];

export function Facts({ rows }: { rows: Fact[] }) {
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

export function Act({ words, act }: { words: string; act: () => Promise<unknown> }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await act();
      await queries.invalidateQueries({ queryKey: AGENT });
    } catch (error) {
      tellProblem(error);
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
