const TABS = ["account", "keys", "browsers", "usage", "appearance"] as const;

export type SettingsTab = (typeof TABS)[number];

export function isSettingsTab(id: unknown): id is SettingsTab {
  return TABS.some((tab) => tab === id);
}
