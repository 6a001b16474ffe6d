import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";

const KEY = "growqr.theme"; // also in public/assets/theme.js, which acts before the first paint
const media = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function stored(): Theme {
  const found = read();
  return found === "light" || found === "dark" ? found : "system";
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function show(): void {
  const theme = stored();
  const dark = theme === "dark" || (theme === "system" && media.matches);
  document.documentElement.classList.toggle("dark", dark);
  for (const tell of listeners) tell();
}

media.addEventListener("change", show);
window.addEventListener("storage", (change) => change.key === KEY && show());

export function setTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // private windows may refuse; the choice lasts as long as the page
  }
  show();
}

export function useTheme(): Theme {
  return useSyncExternalStore((then) => {
    listeners.add(then);
    return () => listeners.delete(then);
  }, stored);
}

export function useDark(): boolean {
  return useSyncExternalStore(
    (then) => {
      listeners.add(then);
      return () => listeners.delete(then);
    },
    () => document.documentElement.classList.contains("dark"),
  );
}
