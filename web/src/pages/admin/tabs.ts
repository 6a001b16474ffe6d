const TABS = ["users", "invites", "audit"] as const;

export type AdminTab = (typeof TABS)[number];

export function isAdminTab(id: unknown): id is AdminTab {
  return TABS.some((tab) => tab === id);
}
