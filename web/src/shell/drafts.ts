/** What is typed and not yet sent, by its place; the browser's tab keeps it over a reload. */
import { newKey } from "@/api";

/** `key` is the Idempotency-Key of this text: sent again after a lost answer, it is one message. */
export interface Draft {
  text: string;
  key: string;
}

const PREFIX = "growqr.draft.";

export function draftOf(text: string): Draft {
  return { text, key: newKey() };
}

export function readDraft(place: string): Draft {
  try {
    const { text, key } = JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "{}");
    if (typeof text === "string" && typeof key === "string") return { text, key };
  } catch {
    // refused, or not ours: nothing is typed
  }
  return draftOf("");
}

export function keepDraft(place: string, draft: Draft): void {
  try {
    if (draft.text) sessionStorage.setItem(PREFIX + place, JSON.stringify(draft));
    else sessionStorage.removeItem(PREFIX + place);
  } catch {
    // private windows may refuse; it lasts as long as the page
  }
}

/** Somebody else may sign in on this tab. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
    }
  } catch {
    // nothing was kept either
  }
}
