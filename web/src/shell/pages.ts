import {
  Activity,
  BookText,
  Bot,
  GitPullRequestArrow,
  ListChecks,
  type LucideIcon,
  MessagesSquare,
  ScrollText,
  Settings,
  Shield,
} from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Keys that lead there: `g` and this one. */
  key: string;
}

/** Every page with a place in the navigation; the palette and the keys read it too. */
export const PLACES: Place[] = [
  { to: "/app", label: "Chat", icon: MessagesSquare, key: "c" },
  { to: "/app/sub-agents", label: "Sub-agents", icon: Bot, key: "a" },
  { to: "/app/decisions", label: "Decisions", icon: ListChecks, key: "d" },
  { to: "/app/changes", label: "Changes", icon: GitPullRequestArrow, key: "h" },
  { to: "/app/memory/", label: "Memory", icon: BookText, key: "m" },
  { to: "/app/events", label: "Events", icon: ScrollText, key: "e" },
  { to: "/app/status", label: "Status", icon: Activity, key: "s" },
  { to: "/app/settings", label: "Settings", icon: Settings, key: "," },
];

/** In the navigation of admins alone. */
export const ADMIN: Place = { to: "/app/admin", label: "Admin", icon: Shield, key: "" };

/** The picture of how an instance works, in a tab of its own. */
export function showArchitecture(): void {
  window.open("/assets/architecture.html", "_blank", "noopener");
}
