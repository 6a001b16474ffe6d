import { useState } from "react";
import { Button, Exact, Input } from "@/ui";

interface Props {
  options: string[];
  busy: boolean;
  send: (text: string) => void;
}

/** One of the options that were given, or words of one's own. */
export function Answer({ options, busy, send }: Props) {
  const [text, setText] = useState("");
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) send(text);
      }}
    >
      {options.length > 0 && (
        <div className="flex flex-wrap gap-2">
          {options.map((option) => (
            <Button
              key={option}
              disabled={busy}
              onClick={() => send(option)}
              className="h-auto min-h-10 max-w-full shrink py-2 text-left [overflow-wrap:anywhere]"
            >
              <span dir="auto" className="max-h-40 min-w-0 overflow-hidden">
                <Exact text={option} />
              </span>
            </Button>
          ))}
        </div>
      )}
      <div className="flex gap-2">
        <Input
          aria-label="Answer"
          value={text}
          disabled={busy}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" look="primary" disabled={busy || !text.trim()}>
          Answer
        </Button>
      </div>
    </form>
  );
}
