import { Play } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { ask, newKey, runSubAgent } from "@/api";
import { Button, ProblemNote, Textarea } from "@/ui";

/** Starts the sub-agent's next task. The text stays until the instance has it. */
export function RunBox({ subAgentId }: { subAgentId: string }) {
  const [prompt, setPrompt] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  // The key is that of this text: sent twice by a lost answer, it is still one task.
  const key = useRef<{ prompt: string; key: string } | null>(null);
  const run = async () => {
    if (!prompt.trim() || busy) return;
    if (key.current?.prompt !== prompt) key.current = { prompt, key: newKey() };
    const headers = { "Idempotency-Key": key.current.key };
    setBusy(true);
    setProblem(null);
    try {
      const path = { user: "me", sub_agent_id: subAgentId };
      await ask(runSubAgent({ path, body: { prompt }, headers }));
      key.current = null;
      setPrompt("");
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  };
  return (
    <form
      className="grid gap-2 border-t p-3"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      {problem !== null && <ProblemNote error={problem} retry={run} />}
      <div className="flex items-end gap-2">
        <Textarea
          aria-label="Task"
          placeholder="Its next task"
          title="Ctrl and Enter run it"
          rows={1}
          value={prompt}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={press}
          className="field-sizing-content max-h-48 min-h-10 resize-none"
        />
        <Button type="submit" look="primary" busy={busy} disabled={!prompt.trim()}>
          {!busy && <Play aria-hidden className="size-4" />} Run
        </Button>
      </div>
    </form>
  );
}
