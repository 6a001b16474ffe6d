/** Budgets in words. */
import type { BudgetView } from "@/api";
import { count, duration } from "@/ui/times";

/** How a scope begins, such as `day:2026-11-27:u_owner`. */
const PERIODS: Record<string, string> = {
  day: "Today",
  turn: "This turn",
  key: "This API key, today",
};

const UNITS: Record<BudgetView["unit"], string> = {
  tokens: "tokens",
  usd: "cost",
  seconds: "model time",
};

/** "Today: cost". */
export function budgetName({ scope, unit }: BudgetView): string {
  const kind = scope.split(":", 1)[0] ?? scope;
  return `${PERIODS[kind] ?? kind}: ${UNITS[unit]}`;
}

/** With its unit: "1.2k tokens", "$0.40", "1 min 4 s". */
export function amount(value: number, unit: BudgetView["unit"]): string {
  if (unit === "usd") return `$${value.toFixed(value > 0 && value < 0.1 ? 4 : 2)}`;
  return unit === "seconds" ? duration(value * 1000, true) : `${count(value)} tokens`;
}
