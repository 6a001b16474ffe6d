/** A note while it is written: until it is saved or given up it outlives other pages and a reload. */
import { keep, keptAt } from "@/shell/drafts";

/** A file as it was read; null: there was none. */
export type Known = { content: string; version: string } | null;

export interface Note {
  name: string;
  text: string;
  message: string;
  /** What it was begun from. */
  base: Known;
}

const FOLDER = "notes/";

/** `path` null: a new file. */
export function noteOf(path: string | null, there: Known): Note {
  return { name: path ?? FOLDER, text: there?.content ?? "", message: "", base: there };
}

export function keptNote(path: string | null): Note | null {
  const found = keptAt(placeOf(path)) as Note | null;
  return typeof found?.name === "string" && typeof found.text === "string" ? found : null;
}

/** Null: it is saved, or given up. What says nothing of its own is not kept either. */
export function keepNote(path: string | null, note: Note | null): void {
  keep(placeOf(path), note && isWritten(path, note) ? note : null);
}

export function isSame(a: Known, b: Known): boolean {
  return a?.content === b?.content;
}

function isWritten(path: string | null, { name, text, message, base }: Note): boolean {
  const begun = noteOf(path, base);
  return name !== begun.name || text !== begun.text || message !== "";
}

function placeOf(path: string | null): string {
  return `memory:${path ?? ""}`;
}
