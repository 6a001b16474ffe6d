import { memo, type ReactNode } from "react";
import { type Draft, type Entry, type Message, textOf } from "@/stream";
import { cx, Markdown } from "@/ui";
import { DecisionCard } from "../decisions/DecisionCard";
import { EndRow } from "./EndRow";
import { Queued } from "./Queued";
import { Reasoning } from "./Reasoning";
import { ToolCard } from "./ToolCard";

/** One entry of the timeline. */
export const EntryRow = memo(function EntryRow({ entry }: { entry: Entry }) {
  return (
    // Rows out of sight cost nothing: their last height stands for them. The padding is for focus.
    <li
      data-testid={entry.kind}
      className="-m-1 flex min-w-0 list-none flex-col p-1 [contain-intrinsic-size:auto_4rem] [content-visibility:auto]"
    >
      {inside(entry)}
    </li>
  );
}, same);

function inside(entry: Entry): ReactNode {
  switch (entry.kind) {
    case "message":
      return <MessageRow message={entry.message} />;
    case "reasoning":
      return <Reasoning text={entry.text} live={entry.live} />;
    case "tool":
      return <ToolCard tool={entry.tool} />;
    case "decision":
      return <DecisionCard decision={entry.decision} place="thread" />;
    case "draft":
      return <DraftRow draft={entry.draft} />;
    case "end":
      return <EndRow turn={entry.turn} again={entry.again} />;
  }
}

/** Entries are made anew with each change; what they show is not. */
function same({ entry: a }: { entry: Entry }, { entry: b }: { entry: Entry }): boolean {
  const names = Object.keys(a) as (keyof Entry)[];
  return names.every((name) => name === "at" || Object.is(a[name], b[name]));
}

function MessageRow({ message }: { message: Message }) {
  const mine = message.role === "user";
  const text = textOf(message.content);
  return (
    <div
      className={cx(
        "min-w-0 max-w-full",
        mine && "max-w-[85%] self-end rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5",
      )}
    >
      <span className="sr-only">{mine ? "You: " : "Agent: "}</span>
      {mine ? (
        <p dir="auto" className="whitespace-pre-wrap [overflow-wrap:anywhere]">
          {text}
        </p>
      ) : (
        <Markdown text={text} />
      )}
      {mine && <Queued message={message} />}
    </div>
  );
}

function DraftRow({ draft }: { draft: Draft }) {
  return <Markdown text={(draft.start > 0 ? "… " : "") + draft.text} live />;
}
