import { ArrowUp } from "lucide-react";
import type { KeyboardEvent } from "react";
import type { Problem } from "@/api";
import type { Draft } from "@/shell/drafts";
import { IconButton } from "@/ui";
import { useDraft } from "./useDraft";

interface Props {
  /** Under which name what is typed is kept. */
  place: string;
  send: (draft: Draft) => Promise<void>;
}

/** Says something in a thread. The text stays until the instance has it. */
export function Composer({ place, send }: Props) {
  const { text, type, submit, busy, problem } = useDraft(place, send);
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      className="mx-auto w-full max-w-3xl px-4 pb-4 pb-[max(1rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {problem && (
        <p role="alert" className="px-3 pb-2 text-danger text-sm">
          {whyNot(problem)} Your text stays here.
        </p>
      )}
      <div className="flex items-end gap-2 rounded-2xl border border-line-strong/50 bg-surface p-2 focus-within:border-accent">
        <textarea
          data-composer // Esc in it stops the turn: there is nothing else it could mean
          aria-label="Message"
          value={text}
          rows={1}
          placeholder="Say something to your agent"
          onChange={(event) => type(event.target.value)}
          onKeyDown={press}
          className="scroll-thin field-sizing-content max-h-60 min-h-9 w-full resize-none bg-transparent px-2 py-1.5 outline-none"
        />
        <IconButton
          type="submit"
          look="primary"
          label="Send"
          icon={<ArrowUp />}
          busy={busy}
          disabled={!text.trim()}
        />
      </div>
    </form>
  );
}

/** Why it was not sent, as a sentence. */
function whyNot(problem: Problem): string {
  if (problem.code === "offline") {
    return "Not sent: the instance cannot be reached. Send it again once you are back online.";
  }
  return `Not sent: ${problem.detail.replace(/\.?$/, ".")}`;
}
