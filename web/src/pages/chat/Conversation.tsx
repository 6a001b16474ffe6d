import { ArrowDown, Sprout } from "lucide-react";
import { useMemo } from "react";
import { timeline, useConversation, useDecisionsOf, useOlder } from "@/stream";
import { Button, EmptyState, ProblemNote, SkeletonList } from "@/ui";
import { EntryRow } from "./EntryRow";
import { useReadingPlace } from "./useReadingPlace";
import { useWindow } from "./useWindow";
import { Working } from "./Working";

/** All that was said and done in a thread, and what is being written; the older, the later read. */
export function Conversation({ threadId }: { threadId: string | null }) {
  const { conversation, loading, problem, retry } = useConversation(threadId);
  const decisions = useDecisionsOf(threadId);
  const entries = useMemo(
    () => (conversation ? timeline(conversation, decisions) : []),
    [conversation, decisions],
  );
  const older = useOlder(conversation);
  const window = useWindow(entries);
  const onTop = () => {
    if (window.hidden > 0) window.more();
    else if (older.more && !older.loading && !older.problem) older.load();
  };
  const rows = window.shown;
  const { box, atEnd, toEnd } = useReadingPlace(rows, { onTop, onEnd: window.onEnd });
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
        tabIndex={0}
        className="scroll-thin min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]"
      >
        <div className="mx-auto flex w-full max-w-3xl flex-col gap-4 px-4 py-6">
          {loading && !entries.length && <SkeletonList label="Loading messages" />}
          {problem && <ProblemNote error={problem} retry={retry} />}
          {older.problem && <ProblemNote error={older.problem} retry={older.load} />}
          {older.loading && (
            <p role="status" className="self-center text-muted text-sm">
              Loading older messages
            </p>
          )}
          {!loading && !problem && !entries.length && <Nothing />}
          <ol aria-label="Messages" className="contents">
            {rows.map((entry) => (
              <EntryRow key={entry.key} entry={entry} />
            ))}
          </ol>
          {conversation && <Working conversation={conversation} />}
        </div>
      </div>
      {!atEnd && (
        <Button
          size="sm"
          onClick={toEnd}
          className="absolute bottom-2 left-1/2 -translate-x-1/2 rounded-full shadow-raised"
        >
          <ArrowDown aria-hidden className="size-4" /> Newest
        </Button>
      )}
    </div>
  );
}

export function Nothing() {
  return (
    <EmptyState icon={<Sprout />} title="Say something to begin" cli={'growqr chat "hello"'}>
      Your agent keeps what you tell it, and works on even when this page is closed.
    </EmptyState>
  );
}
