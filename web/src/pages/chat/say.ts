/** How a message is sent, and how a thread begins with one. */
import { ask, createThread, sendMessage, type ThreadView } from "@/api";
import type { Draft } from "@/shell/drafts";

const TITLE = 60;

export async function say(threadId: string | null, { text, key }: Draft): Promise<void> {
  const body = { text, thread_id: threadId };
  await ask(sendMessage({ path: { user: "me" }, body, headers: { "Idempotency-Key": key } }));
}

/** A thread that is named by its first message. The same draft makes it once. */
export function threadFor({ text, key }: Draft): Promise<ThreadView> {
  const headers = { "Idempotency-Key": `${key}-thread` };
  return ask(createThread({ body: { title: titleOf(text) }, headers }));
}

/** The first line, cut between words where it is long. */
export function titleOf(text: string): string {
  const line = (text.trim().split("\n", 1)[0] ?? "").replace(/\s+/g, " ").trim();
  const letters = Array.from(line);
  if (letters.length <= TITLE) return line;
  const cut = letters.slice(0, TITLE).join("");
  return `${cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut}…`;
}
