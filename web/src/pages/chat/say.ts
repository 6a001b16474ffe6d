/** How a message is sent. */
import { ask, sendMessage } from "@/api";
import type { Draft } from "@/shell/drafts";

export async function say(threadId: string | null, { text, key }: Draft): Promise<void> {
  const body = { text, thread_id: threadId };
  await ask(sendMessage({ path: { user: "me" }, body, headers: { "Idempotency-Key": key } }));
}
