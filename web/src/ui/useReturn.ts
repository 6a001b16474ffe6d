import { useCallback, useRef } from "react";

const INSIDE = "[role=dialog],[role=alertdialog]";

/** Where the focus was last outside of all dialogs: one may open in the place of another. */
let outside: HTMLElement | null = null;

/**
 * Gives the focus back to where it was when a dialog opened; for its `onCloseAutoFocus`. Without
 * this it is lost, as no button of the dialog's own has opened it.
 */
export function useReturn(open: boolean): (event: Event) => void {
  const was = useRef(false);
  const from = useRef<HTMLElement | null>(null);
  if (open && !was.current) {
    from.current = opener(document.activeElement); // before anything in it can take the focus
    if (from.current && !from.current.closest(INSIDE)) outside = from.current;
  }
  was.current = open;
  return useCallback((event) => {
    event.preventDefault();
    [from.current, outside].find((one) => one?.isConnected)?.focus();
  }, []);
}

/** A menu is gone when what was chosen in it opens: its button is meant. */
export function opener(at: Element | null): HTMLElement | null {
  const menu = at?.closest("[role=menu]");
  const found = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : at;
  return found instanceof HTMLElement && found !== document.body ? found : null;
}
