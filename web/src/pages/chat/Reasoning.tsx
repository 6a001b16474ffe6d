import { ChevronRight } from "lucide-react";
import { useState } from "react";

/** What the model thought before it answered; open while it thinks, folded once it has said so. */
export function Reasoning({ text, live = false }: { text: string; live?: boolean }) {
  const [open, setOpen] = useState<boolean | null>(null);
  return (
    <details
      open={open ?? live}
      onToggle={(event) => {
        const now = event.currentTarget.open;
        if (now !== (open ?? live)) setOpen(now);
      }}
      className="group min-w-0 text-muted text-sm"
    >
      <summary className="flex min-h-8 w-fit cursor-pointer list-none items-center gap-1">
        <ChevronRight
          aria-hidden
          className="size-4 text-faint transition-transform group-open:rotate-90"
        />
        Reasoning
      </summary>
      <p className="whitespace-pre-wrap break-words border-line border-l-2 pl-3">{text}</p>
    </details>
  );
}
