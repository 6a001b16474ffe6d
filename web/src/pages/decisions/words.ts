/** What decisions and their states are called. */
import type { Decision, DecisionKind } from "@/stream";

export const TITLES: Record<DecisionKind, string> = {
  approval: "Approval",
  question: "Question",
  budget: "Budget",
};

export const STATES: Record<string, string> = {
  approved: "Approved",
  denied: "Denied",
  answered: "Answered",
  expired: "Expired",
  closed: "Closed",
};

/** What became of it, and by whom: "Approved by you". `me`: the id of who reads this. */
export function outcomeOf({ state, answeredBy }: Decision, me: string | undefined): string {
  if (state === "expired") return "Expired: nobody answered in time";
  if (state === "closed") return "Closed: its turn has ended";
  const by = answeredBy && (answeredBy === me ? "you" : answeredBy);
  return (STATES[state] ?? state) + (by ? ` by ${by}` : "");
}
