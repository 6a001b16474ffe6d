import { useSyncExternalStore } from "react";
import { opener } from "@/ui";

type Overlay = "palette" | "shortcuts" | "new-thread" | "menu" | "search" | null;

/** The id of the search field among the threads. */
export const SEARCH = "search-threads";

let open: Overlay = null;
let from: HTMLElement | null = null;
const listeners = new Set<() => void>();

function show(next: Overlay): void {
  if (next && !open) from = opener(document.activeElement);
  open = next;
  for (const tell of listeners) tell();
}

export const openPalette = () => show("palette");
export const openShortcuts = () => show("shortcuts");
export const openNewThread = () => show("new-thread");
export const openMenu = () => show("menu");
export const closeOverlay = () => show(null);

/** To the search field of the threads, in the menu where the window is narrow. */
export function searchThreads(): void {
  const field = document.getElementById(SEARCH);
  show(field ? null : "search");
  if (!field) return;
  from = field;
  field.focus();
}

/** Does it and closes the palette, unless that opened something in its place. */
export function choose(then: () => void): void {
  then();
  if (open === "palette") show(null);
}

/** For `onCloseAutoFocus`: to where the focus was before an overlay opened. */
export function returnFocus(event: Event): void {
  event.preventDefault();
  if (!open) from?.focus();
}

/** Which of the shell's overlays is open. */
export function useOverlay(): Overlay {
  return useSyncExternalStore(
    (then) => {
      listeners.add(then);
      return () => listeners.delete(then);
    },
    () => open,
  );
}
