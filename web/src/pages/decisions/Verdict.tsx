import { useState } from "react";
import { Button, Textarea } from "@/ui";

interface Props {
  busy: boolean;
  send: (decision: "approve" | "deny", note: string) => void;
}

/** Yes or no; with a note to the agent for whoever has something to say. */
export function Verdict({ busy, send }: Props) {
  const [note, setNote] = useState("");
  const [open, setOpen] = useState(false);
  return (
    <div className="grid gap-3">
      {open && (
        <Textarea
          aria-label="Note to the agent"
          placeholder="Why, or what to do instead"
          autoFocus
          rows={2}
          maxLength={10_000}
          value={note}
          disabled={busy}
          onChange={(event) => setNote(event.target.value)}
        />
      )}
      <div className="flex flex-wrap gap-2">
        <Button look="primary" disabled={busy} onClick={() => send("approve", note)}>
          Approve
        </Button>
        <Button disabled={busy} onClick={() => send("deny", note)}>
          Deny
        </Button>
        {!open && (
          <Button look="quiet" disabled={busy} onClick={() => setOpen(true)}>
            Add a note
          </Button>
        )}
      </div>
    </div>
  );
}
