import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { openPalette, openShortcuts, searchThreads } from "./overlays";
import { usePlaces } from "./usePlaces";

const PAIR = 1200;

/** The shell's keys: Ctrl/Cmd-K, `?`, `/`, and `g` with a page's key. */
export function useKeys(): void {
  const navigate = useNavigate();
  const places = usePlaces();
  useEffect(() => {
    let lead = 0;
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
      if (event.key === "?") openShortcuts();
      if (event.key === "/") {
        event.preventDefault(); // the field would get the slash
        searchThreads();
      }
      const place = places.find((one) => one.key === event.key);
      if (place && Date.now() - lead < PAIR) navigate({ to: place.to });
      lead = event.key === "g" ? Date.now() : 0;
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [navigate, places]);
}

function writes(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
    target.closest("[role=dialog],[role=alertdialog]") !== null
  );
}
