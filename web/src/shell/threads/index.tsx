import { MessageSquarePlus } from "lucide-react";
import { useState } from "react";
import { type Thread, useThreads, useView, type View } from "@/stream";
import { IconButton, Input, ProblemNote, SkeletonList } from "@/ui";
import { openNewThread, SEARCH, useOverlay } from "../overlays";
import { FoldedGroup, Group } from "./Group";
import { useFound } from "./useFound";

const MOST = 40;

/** Threads and channels: the newest, those that are put away, and those with some words. */
export function Threads() {
  const [words, setWords] = useState("");
  const searched = useOverlay() === "search";
  const threads = useThreads();
  return (
    <>
      <div className="flex items-center gap-1 px-3 pt-3 pb-2">
        <Input
          id={SEARCH}
          type="search"
          autoFocus={searched}
          aria-label="Search threads"
          placeholder="Search threads"
          autoComplete="off"
          maxLength={500}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setWords("")}
          className="h-9 min-w-0 px-2.5 text-sm"
        />
        <IconButton
          label="New thread"
          icon={<MessageSquarePlus aria-hidden />}
          onClick={openNewThread}
        />
      </div>
      <nav aria-label="Threads" className="scroll-thin min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {words.trim() ? (
          <Results threads={threads} words={words.trim()} />
        ) : (
          <Newest threads={threads} />
        )}
      </nav>
    </>
  );
}

function Newest({ threads }: { threads: Thread[] }) {
  const here = threads.filter((thread) => !thread.archived);
  const chats = here.filter((thread) => thread.kind !== "channel");
  const first = [...chats].sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
  const channels = here.filter((thread) => thread.subAgentId).slice(0, MOST);
  const away = threads.filter((thread) => thread.archived);
  const ready = useView(isReady);
  if (!ready && !threads.length) return <SkeletonList label="Loading threads" />;
  return (
    <>
      <Group title="Threads" threads={first} />
      <Group title="Sub-agents" threads={channels} />
      <FoldedGroup title="Archived" threads={away} />
    </>
  );
}

function Results({ threads, words }: { threads: Thread[]; words: string }) {
  const { named, said, searching, error, retry } = useFound(threads, words);
  const count = named.length + said.length;
  return (
    <>
      <p role="status" className={count ? "sr-only" : "px-2.5 py-2 text-muted text-sm"}>
        {searching ? "Searching" : count ? `${count} found` : "No thread has these words."}
      </p>
      <Group title="By name" threads={named} />
      <Group title="By what was said" threads={said} />
      {error && <ProblemNote error={error} retry={retry} />}
    </>
  );
}

/** The one with the Grow Agent is always there; the others keep their order. */
const rank = (thread: Thread) => (thread.kind === "master" ? 0 : 1);

const isReady = (view: View) => view.ready;
