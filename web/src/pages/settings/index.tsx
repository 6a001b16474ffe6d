import { useState } from "react";
import { Meters } from "@/pages/status/Meters";
import { openShortcuts } from "@/shell/overlays";
import { setTheme, type Theme, useTheme } from "@/shell/theme";
import { Button, Page, Tabs } from "@/ui";
import { Account } from "./Account";
import { Keys } from "./Keys";
import { SignIns } from "./SignIns";

export function SettingsPage() {
  const [tab, setTab] = useState("account");
  return (
    <Page title="Settings">
      <div className="mx-auto w-full max-w-3xl">
        <Tabs
          label="Settings"
          value={tab}
          onChange={setTab}
          tabs={[
            { id: "account", label: "Account", content: <Account /> },
            { id: "keys", label: "API keys", content: <Keys /> },
            { id: "sign-ins", label: "Browsers", content: <SignIns /> },
            { id: "usage", label: "Usage", content: <Usage /> },
            { id: "looks", label: "Appearance", content: <Appearance /> },
          ]}
        />
      </div>
    </Page>
  );
}

function Usage() {
  return (
    <section className="grid gap-4">
      <p className="text-muted">What was spent today (UTC), and of how much.</p>
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
