import { Sprout } from "lucide-react";
import { useMemo } from "react";
import { timeline, useConversation } from "@/stream";
import { EmptyState, ProblemNote, SkeletonList } from "@/ui";
import { EntryRow } from "./EntryRow";
import { useStickToEnd } from "./useStickToEnd";
import { Waiting } from "./Waiting";
import { Working } from "./Working";

/** All that was said and done in a thread, and what is being written. */
export function Conversation({ threadId }: { threadId: string | null }) {
  const { conversation, loading, problem, retry } = useConversation(threadId);
  const entries = useMemo(() => (conversation ? timeline(conversation) : []), [conversation]);
  const box = useStickToEnd(entries);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
    <div ref={box} tabIndex={0} className="scroll-thin min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex w-full max-w-3xl flex-col gap-4 px-4 py-6">
        {loading && !entries.length && <SkeletonList label="Loading messages" />}
        {problem && <ProblemNote error={problem} retry={retry} />}
        {!loading && !problem && !entries.length && (
          <EmptyState icon={<Sprout />} title="Say something to begin" cli={'growqr chat "hello"'}>
            Your agent keeps what you tell it, and works on even when this page is closed.
          </EmptyState>
        )}
        <ol aria-label="Messages" className="contents">
          {entries.map((entry) => (
            <EntryRow key={entry.key} entry={entry} />
          ))}
        </ol>
        {threadId && <Waiting threadId={threadId} />}
        {conversation && <Working conversation={conversation} />}
      </div>
    </div>
  );
}
