import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Meters } from "@/pages/status/Meters";
import { openShortcuts } from "@/shell/overlays";
import { setTheme, type Theme, useTheme } from "@/shell/theme";
import { Button, Page, Tabs } from "@/ui";
import { Account } from "./Account";
import { Keys } from "./Keys";
import { SignIns } from "./SignIns";
import { isSettingsTab, type SettingsTab } from "./tabs";

const route = getRouteApi("/shell/app/settings");

const TABS: { id: SettingsTab; label: string; content: ReactNode }[] = [
  { id: "account", label: "Account", content: <Account /> },
  { id: "keys", label: "API keys", content: <Keys /> },
  { id: "browsers", label: "Browsers", content: <SignIns /> },
  { id: "usage", label: "Usage", content: <Usage /> },
  { id: "appearance", label: "Appearance", content: <Appearance /> },
];

export function SettingsPage() {
  const { tab = "account" } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (id: string) => {
    if (isSettingsTab(id)) navigate({ search: { tab: id } });
  };
  return (
    <Page title="Settings">
      <div className="mx-auto w-full max-w-3xl">
        <Tabs label="Settings" value={tab} onChange={open} tabs={TABS} />
      </div>
    </Page>
  );
}

function Usage() {
  return (
    <section className="grid gap-4">
      <p className="text-muted">What was spent, and of how much. A day ends at midnight UTC.</p>
      <Meters />
    </section>
  );
}

const THEMES: [Theme, string][] = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["system", "As the system"],
];

function Appearance() {
  const theme = useTheme();
  return (
    <section className="grid gap-4">
      <fieldset className="grid gap-2">
        <legend className="pb-1 font-medium">Theme</legend>
        {THEMES.map(([value, label]) => (
          <label key={value} className="flex items-center gap-2">
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => setTheme(value)}
              className="accent-accent"
            />
            {label}
          </label>
        ))}
      </fieldset>
      <p className="text-muted">Nothing moves where your system asks for reduced motion.</p>
      <Button className="justify-self-start" onClick={openShortcuts}>
        Keyboard shortcuts
      </Button>
    </section>
  );
}
