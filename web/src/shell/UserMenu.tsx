import { useQuery } from "@tanstack/react-query";
import {
  Braces,
  ChevronsUpDown,
  Keyboard,
  LogOut,
  Map as MapIcon,
  Monitor,
  Moon,
  Sun,
} from "lucide-react";
import { ask, readMe } from "@/api";
import { Menu } from "@/ui";
import { openShortcuts } from "./overlays";
import { showApi, showArchitecture } from "./pages";
import { setTheme, type Theme, useTheme } from "./theme";
import { useSignOut } from "./useSignOut";

const THEMES: { theme: Theme; label: string; icon: typeof Sun }[] = [
  { theme: "light", label: "Light", icon: Sun },
  { theme: "dark", label: "Dark", icon: Moon },
  { theme: "system", label: "As the system", icon: Monitor },
];

export function UserMenu() {
  const theme = useTheme();
  const { data: me } = useQuery({ queryKey: ["me"], queryFn: () => ask(readMe()) });
  const signOut = useSignOut();
  const items = [
    ...THEMES.filter((one) => one.theme !== theme).map(({ theme: other, label, icon: Icon }) => ({
      label,
      icon: <Icon aria-hidden />,
      onSelect: () => setTheme(other),
    })),
    { label: "Keyboard shortcuts", icon: <Keyboard aria-hidden />, onSelect: openShortcuts },
    { label: "How it works", icon: <MapIcon aria-hidden />, onSelect: showArchitecture },
    { label: "API", icon: <Braces aria-hidden />, onSelect: showApi },
    { label: "Sign out", icon: <LogOut aria-hidden />, onSelect: () => signOut() },
  ];
  return (
    <div className="border-t p-2">
      <Menu items={items}>
        <button
          type="button"
          className="flex h-11 w-full items-center gap-2.5 rounded-lg px-2 text-left hover:bg-sunken"
        >
          <span
            aria-hidden
            className="grid size-7 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-sm uppercase"
          >
            {(me?.name ?? "?").slice(0, 1)}
          </span>
          <span className="min-w-0 flex-1 truncate text-sm">{me?.name ?? "…"}</span>
          <ChevronsUpDown aria-hidden className="size-4 text-faint" />
          <span className="sr-only">Account and theme</span>
        </button>
      </Menu>
    </div>
  );
}
