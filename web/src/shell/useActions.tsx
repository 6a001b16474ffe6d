import { useNavigate } from "@tanstack/react-router";
import {
  Keyboard,
  KeyRound,
  LogOut,
  Map as MapIcon,
  MessageSquarePlus,
  Moon,
  Search,
  Square,
  Sun,
} from "lucide-react";
import type { ReactNode } from "react";
import { openNewThread, openShortcuts, searchThreads } from "./overlays";
import { showArchitecture } from "./pages";
import { setTheme, useDark } from "./theme";
import { useSignOut } from "./useSignOut";
import { useStop } from "./useStop";

export interface Action {
  value: string;
  icon: ReactNode;
  /** The keys that do it too. */
  hint?: string;
  run: () => void;
}

/** What the palette can do beside going somewhere. */
export function useActions(): Action[] {
  const navigate = useNavigate();
  const dark = useDark();
  const signOut = useSignOut();
  const stop = useStop();
  return [
    { value: "New thread", icon: <MessageSquarePlus />, run: openNewThread },
    { value: "Search threads", icon: <Search />, hint: "/", run: searchThreads },
    ...(stop ? [{ value: "Stop what runs here", icon: <Square />, run: stop }] : []),
    {
      value: dark ? "Switch theme: light" : "Switch theme: dark",
      icon: dark ? <Sun /> : <Moon />,
      run: () => setTheme(dark ? "light" : "dark"),
    },
    { value: "New API key", icon: <KeyRound />, run: () => navigate({ to: "/app/settings" }) },
    { value: "Keyboard shortcuts", icon: <Keyboard />, hint: "?", run: openShortcuts },
    { value: "How it works", icon: <MapIcon />, run: showArchitecture },
    { value: "Sign out", icon: <LogOut />, run: () => signOut() },
  ];
}
