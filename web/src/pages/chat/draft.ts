import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
const placeOf = (threadId: string | null) => `growqr.draft.${threadId ?? "master"}`;

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
