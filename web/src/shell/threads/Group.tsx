import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { Thread } from "@/stream";
import { cx } from "@/ui";
import { Row } from "./Row";

interface Props {
  title: string;
  threads: Thread[];
}

export function Group({ title, threads }: Props) {
  if (!threads.length) return null;
  return (
    <section aria-label={title} className="mb-3">
      <h2 className="px-2.5 pb-1 font-medium text-faint text-xs">{title}</h2>
      <Rows threads={threads} />
    </section>
  );
}

/** A group that is closed at first. */
export function FoldedGroup({ title, threads }: Props) {
  const [open, setOpen] = useState(false);
  if (!threads.length) return null;
  return (
    <section aria-label={title} className="mb-3">
      <h2>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex h-8 w-full items-center gap-1 rounded-lg px-2 font-medium text-faint text-xs hover:bg-sunken hover:text-ink"
        >
          <ChevronRight aria-hidden className={cx("size-3.5", open && "rotate-90")} />
          {title} <span className="ml-auto px-1 tabular-nums">{threads.length}</span>
        </button>
      </h2>
      {open && <Rows threads={threads} />}
    </section>
  );
}

function Rows({ threads }: { threads: Thread[] }) {
  return (
    <ul>
      {threads.map((thread) => (
        <Row key={thread.id} thread={thread} />
      ))}
    </ul>
  );
}
