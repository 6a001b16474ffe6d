import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactNode, useCallback, useState } from "react";
import { openTurns, type Thread, useThreads, useView, type View } from "@/stream";
import { cx } from "@/ui";
import { foundIn, useSaidIn } from "./threadSearch";

const MOST = 40;

/** The thread that is not there yet. */
export const NEW_THREAD = "new";

/** The newest threads and the channels of sub-agents; or those that have the words. */
export function ThreadLinks() {
  const threads = useThreads();
  const [words, setWords] = useState("");
  const found = foundIn(threads, words, useSaidIn(words));
  return (
    <>
      <div className="mb-2 flex items-center gap-1">
        <input
          type="search"
          aria-label="Search threads"
          placeholder="Search threads"
          value={words}
          maxLength={200}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || !words) return;
            event.preventDefault(); // it closes and stops nothing else
            event.stopPropagation();
            setWords("");
          }}
          className="h-8 min-w-0 flex-1 rounded-lg border border-line bg-surface px-2.5 text-sm"
        />
        <Link
          to="/app/chat/$threadId"
          params={{ threadId: NEW_THREAD }}
          aria-label="New thread"
          title="New thread"
          className="grid size-8 shrink-0 place-items-center rounded-lg text-muted hover:bg-sunken hover:text-ink"
        >
          <Plus aria-hidden className="size-[1.15rem]" />
        </Link>
      </div>
      <Group title="Threads" threads={found.threads.slice(0, MOST)} />
      <Group title="Sub-agents" threads={found.channels.slice(0, MOST)} />
      <Group title="Said in" threads={found.said.slice(0, MOST)} />
      <Group title="Archived" threads={found.archived.slice(0, MOST)} folded={!words.trim()} />
      {found.none && <p className="px-2.5 text-muted text-sm">No thread has these words.</p>}
    </>
  );
}

interface GroupProps {
  title: string;
  threads: Thread[];
  folded?: boolean;
}

function Group({ title, threads, folded = false }: GroupProps) {
  if (!threads.length) return null;
  const list = (
    <ul>
      {threads.map((thread) => (
        <li key={thread.id}>
          <ThreadLink thread={thread} />
        </li>
      ))}
    </ul>
  );
  if (folded) {
    return (
      <details className="mb-3">
        <summary className="cursor-pointer px-2.5 pb-1 font-medium text-faint text-xs">
          {title} ({threads.length})
        </summary>
        {list}
      </details>
    );
  }
  return (
    <section className="mb-3">
      <h2 className="px-2.5 pb-1 font-medium text-faint text-xs">{title}</h2>
      {list}
    </section>
  );
}

const LINK =
  "flex h-8 items-center gap-2 rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink";
const HERE = { className: "bg-sunken text-ink font-medium" };

function ThreadLink({ thread }: { thread: Thread }) {
  const look = { className: LINK, activeProps: HERE };
  const inside: ReactNode = (
    <>
      <Dot threadId={thread.id} />
      <span className="truncate">{threadName(thread)}</span>
    </>
  );
  if (thread.kind === "master") {
    return (
      <Link to="/app" activeOptions={{ exact: true }} {...look}>
        {inside}
      </Link>
    );
  }
  return thread.subAgentId ? (
    <Link to="/app/channels/$subAgentId" params={{ subAgentId: thread.subAgentId }} {...look}>
      {inside}
    </Link>
  ) : (
    <Link to="/app/chat/$threadId" params={{ threadId: thread.id }} {...look}>
      {inside}
    </Link>
  );
}

/** Whether something is under way in the thread. */
function Dot({ threadId }: { threadId: string }) {
  const state = useView(
    useCallback(
      (view: View) => {
        const open = openTurns(view.conversations[threadId]?.turns ?? {});
        if (open.some((turn) => turn.state === "waiting")) return "waiting";
        return open.length ? "working" : "idle";
      },
      [threadId],
    ),
  );
  return (
    <span
      className={cx(
        "size-1.5 shrink-0 rounded-full bg-line",
        state === "working" && "animate-pulse bg-accent",
        state === "waiting" && "bg-warn",
      )}
    >
      {state !== "idle" && <span className="sr-only">{state}</span>}
    </span>
  );
}

export function threadName(thread: Thread): string {
  if (thread.kind === "master") return "Grow Agent";
  return thread.subAgentId || thread.title || "…";
}
