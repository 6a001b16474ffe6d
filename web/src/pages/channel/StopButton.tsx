import { Square } from "lucide-react";
import { useState } from "react";
import { ask, stopSubAgent } from "@/api";
import type { SubAgent } from "@/stream";
import { Button, confirm, tellProblem } from "@/ui";

/** Ends it for good; asks first where that ends work. */
export function StopButton({ agent }: { agent: SubAgent }) {
  const [busy, setBusy] = useState(false);
  if (agent.state === "stopped") return null;
  const stop = async () => {
    if (agent.state !== "idle" && !(await confirm(question(agent)))) return;
    setBusy(true);
    try {
      await ask(stopSubAgent({ path: { user: "me", sub_agent_id: agent.id } }));
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="sm" busy={busy} onClick={stop}>
      {!busy && <Square aria-hidden className="size-3.5" />} Stop
    </Button>
  );
}

function question({ id }: SubAgent) {
  return {
    title: `Stop ${id}?`,
    text: "Its task is cancelled, and it takes no further ones. Files that it wrote stay.",
    yes: "Stop it",
    danger: true,
  };
}
