import { memo } from "react";
import { type Draft, type Entry, type Message, type Turn, textOf, thoughtOf } from "@/stream";
import { cx, Markdown } from "@/ui";
import { AskAgain } from "./AskAgain";
import { Queued } from "./Queued";
import { Reasoning } from "./Reasoning";
import { ToolCard } from "./ToolCard";

/** One entry of the timeline. */
export const EntryRow = memo(
  function EntryRow({ entry }: { entry: Entry }) {
    if (entry.kind === "message") return <MessageRow message={entry.message} />;
    if (entry.kind === "tool") return <ToolCard tool={entry.tool} />;
    if (entry.kind === "draft") return <DraftRow draft={entry.draft} />;
    return <EndRow turn={entry.turn} />;
  },
  (before, after) => subject(before.entry) === subject(after.entry),
);

function subject(entry: Entry): unknown {
  if (entry.kind === "message") return entry.message;
  if (entry.kind === "tool") return entry.tool;
  return entry.kind === "draft" ? entry.draft : entry.turn;
}

function MessageRow({ message }: { message: Message }) {
  const mine = message.role === "user";
  const text = textOf(message.content);
  const thought = thoughtOf(message.content);
  return (
    <li
      className={cx(
        "max-w-full list-none",
        mine && "max-w-[85%] self-end rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5",
      )}
    >
      <span className="sr-only">{mine ? "You: " : "Agent: "}</span>
      {thought && <Reasoning text={thought} />}
      {mine ? <p className="whitespace-pre-wrap break-words">{text}</p> : <Markdown text={text} />}
      {mine && <Queued message={message} />}
    </li>
  );
}

function DraftRow({ draft }: { draft: Draft }) {
  const text = (draft.start > 0 ? "… " : "") + draft.text;
  if (draft.kind === "thinking") {
    return (
      <li className="list-none">
        <Reasoning text={text} live />
      </li>
    );
  }
  return (
    <li className="list-none" data-testid="draft">
      <Markdown text={text} live />
    </li>
  );
}

function EndRow({ turn }: { turn: Turn }) {
  if (turn.state === "cancelled") {
    return (
      <li className="flex list-none items-center gap-2 self-center text-muted text-sm">
        Stopped <AskAgain turn={turn} />
      </li>
    );
  }
  return (
    <li className="flex list-none flex-wrap items-center gap-2 rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
      {turn.error?.message ?? "This did not work."}
      {turn.error && <span className="font-mono text-xs">{turn.error.code}</span>}
      <AskAgain turn={turn} />
    </li>
  );
}
