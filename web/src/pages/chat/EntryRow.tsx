import { memo } from "react";
import { type Draft, type Entry, type Message, type Turn, textOf } from "@/stream";
import { cx, Markdown } from "@/ui";
import { Queued } from "./Queued";
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
  return (
    <li
      className={cx(
        "max-w-full list-none",
        mine && "max-w-[85%] self-end rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5",
      )}
    >
      <span className="sr-only">{mine ? "You: " : "Agent: "}</span>
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
        <p className="line-clamp-3 whitespace-pre-wrap text-muted text-sm italic">{text}</p>
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
    return <li className="list-none self-center text-muted text-sm">Stopped</li>;
  }
  return (
    <li className="list-none rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
      {turn.error?.message ?? "This did not work."}
      {turn.error && <span className="ml-2 font-mono text-xs">{turn.error.code}</span>}
    </li>
  );
}
