import { useSyncExternalStore } from "react";

type Overlay = "palette" | "shortcuts" | null;

let open: Overlay = null;
const listeners = new Set<() => void>();

function show(next: Overlay): void {
  open = next;
  for (const tell of listeners) tell();
}

export const openPalette = () => show("palette");
export const openShortcuts = () => show("shortcuts");
export const closeOverlay = () => show(null);

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
