import { useSyncExternalStore } from "react";
import { stream } from "@/stream";

const listeners = new Set<() => void>();

/** The master thread has one from the start: one may write before its id is known. */
export function placeOf(threadId: string | null): string {
  const master = !threadId || stream.getView().threads[threadId]?.kind === "master";
  return `growqr.draft.${master ? "master" : threadId}`;
}

/** Puts a text where the thread's next message is written. */
export function write(threadId: string | null, text: string): void {
  if (text) sessionStorage.setItem(placeOf(threadId), text);
  else sessionStorage.removeItem(placeOf(threadId));
  for (const listener of listeners) listener();
}

/** What somebody has begun to write in a thread; it outlives a reload, in this tab. */
export function useDraft(threadId: string | null): string {
  return useSyncExternalStore(subscribe, () => sessionStorage.getItem(placeOf(threadId)) ?? "");
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
