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
  const { text, key } = (keptAt(place) ?? {}) as Partial<Draft>;
  return typeof text === "string" && typeof key === "string" ? { text, key } : draftOf("");
}

export function keepDraft(place: string, draft: Draft): void {
  keep(place, draft.text ? draft : null);
}

/** What was kept at a place; null where there is nothing, or nothing of ours. */
export function keptAt(place: string): object | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "null");
    return typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}

export function keep(place: string, value: object | null): void {
  try {
    if (value) sessionStorage.setItem(PREFIX + place, JSON.stringify(value));
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
