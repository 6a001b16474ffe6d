import { useNavigate, useRouterState } from "@tanstack/react-router";
import {
  Braces,
  Keyboard,
  KeyRound,
  LogOut,
  MailPlus,
  Map as MapIcon,
  MessageSquarePlus,
  Moon,
  Search,
  Square,
  SquareTerminal,
  Sun,
} from "lucide-react";
import type { ReactNode } from "react";
import { toast } from "sonner";
import { copyText } from "@/ui";
import { openNewThread, openShortcuts, searchThreads } from "./overlays";
import { isAt, showApi, showArchitecture } from "./pages";
import { setTheme, useDark } from "./theme";
import { usePlaces } from "./usePlaces";
import { useSignOut } from "./useSignOut";
import { useStop } from "./useStop";
import { useIsAdmin } from "./useWho";

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
  const admin = useIsAdmin();
  const cli = useCliHere();
  return [
    { value: "New thread", icon: <MessageSquarePlus />, run: openNewThread },
    { value: "Search threads", icon: <Search />, hint: "/", run: searchThreads },
    ...(stop ? [{ value: "Stop what runs here", icon: <Square />, run: stop }] : []),
    {
      value: dark ? "Switch theme: light" : "Switch theme: dark",
      icon: dark ? <Sun /> : <Moon />,
      run: () => setTheme(dark ? "light" : "dark"),
    },
    { value: "New API key", icon: <KeyRound />, run: () => navigate(NEW_KEY) },
    ...(admin
      ? [{ value: "New invite", icon: <MailPlus />, run: () => navigate(NEW_INVITE) }]
      : []),
    ...(cli ? [{ value: `Copy: ${cli}`, icon: <SquareTerminal />, run: () => copyCli(cli) }] : []),
    { value: "Keyboard shortcuts", icon: <Keyboard />, hint: "?", run: openShortcuts },
    { value: "How it works", icon: <MapIcon />, run: showArchitecture },
    { value: "API", icon: <Braces />, run: showApi },
    { value: "Sign out", icon: <LogOut />, run: () => signOut() },
  ];
}

const NEW_KEY = { to: "/app/settings", search: { tab: "keys", make: true } } as const;
const NEW_INVITE = { to: "/app/admin", search: { tab: "invites", make: true } } as const;

/** The command that does or shows the same as the page one looks at. */
function useCliHere(): string | undefined {
  const path = useRouterState({ select: (state) => state.location.pathname });
  return usePlaces().find((place) => isAt(place, path))?.cli;
}

async function copyCli(line: string): Promise<void> {
  if (await copyText(line)) toast.success("Command copied");
  else toast.error("The browser did not let us copy");
}
