import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { toast } from "sonner";
import { ask, asProblem, newKey, sendMessage } from "@/api";
import { IconButton } from "@/ui";
import { useDraft, write } from "./draft";

/** Says something in a thread. The text stays until the instance has it. */
export function Composer({ threadId }: { threadId: string | null }) {
  const text = useDraft(threadId);
  const [busy, setBusy] = useState(false);
  // The key is that of this text: sent twice by a lost answer, it is still one message.
  const key = useRef<{ text: string; key: string } | null>(null);
  const send = async () => {
    if (!text.trim() || busy) return;
    if (key.current?.text !== text) key.current = { text, key: newKey() };
    setBusy(true);
    try {
      await ask(
        sendMessage({
          path: { user: "me" },
          body: { text, thread_id: threadId },
          headers: { "Idempotency-Key": key.current.key },
        }),
      );
      key.current = null;
      write(threadId, "");
    } catch (error) {
      toast.error(asProblem(error).detail);
    } finally {
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="mx-auto w-full max-w-3xl px-4 pb-4 pb-[max(1rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="flex items-end gap-2 rounded-2xl border border-line-strong/50 bg-surface p-2 focus-within:border-accent">
        <textarea
          aria-label="Message"
          value={text}
          rows={1}
          placeholder="Say something to your agent"
          onChange={(event) => write(threadId, event.target.value)}
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
