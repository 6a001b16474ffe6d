import { useRef, useState } from "react";
import { answer, ask, asProblem, decide } from "@/api";
import type { Decision } from "@/stream";
import { STATES } from "./words";

/** Decides once, however often it is pressed; the event brings what was decided, by whomever. */
export function useDecide({ id }: Decision) {
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<string | null>(null);
  const sent = useRef(false);

  async function send(request: () => Promise<unknown>) {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    setTold(null);
    try {
      await request();
    } catch (error) {
      const problem = asProblem(error);
      const elsewhere = problem.code === "already_decided";
      const state = STATES[String(problem.facts.state)] ?? "decided";
      setTold(elsewhere ? `This was already ${state.toLowerCase()}.` : problem.detail);
      sent.current = elsewhere;
      setBusy(elsewhere);
    }
  }

  const path = { decision_id: id };
  return {
    busy,
    told,
    verdict: (decision: "approve" | "deny", note = "") =>
      send(() => ask(decide({ path, body: { decision, note: note.trim() || null } }))),
    reply: (text: string) => send(() => ask(answer({ path, body: { answer: text } }))),
  };
}
