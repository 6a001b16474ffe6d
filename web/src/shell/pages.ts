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
  /** The command that does or shows the same. */
  cli?: string;
}

/** Every page with a place in the navigation; the palette and the keys read it too. */
export const PLACES: Place[] = [
  { to: "/app", label: "Chat", icon: MessagesSquare, key: "c", cli: 'growqr chat "hello"' },
  { to: "/app/sub-agents", label: "Sub-agents", icon: Bot, key: "a" },
  { to: "/app/decisions", label: "Decisions", icon: ListChecks, key: "d", cli: "growqr inbox" },
  {
    to: "/app/changes",
    label: "Changes",
    icon: GitPullRequestArrow,
    key: "h",
    cli: "growqr files ls",
  },
  { to: "/app/memory/", label: "Memory", icon: BookText, key: "m", cli: "growqr memory ls" },
  { to: "/app/events", label: "Events", icon: ScrollText, key: "e" },
  { to: "/app/status", label: "Status", icon: Activity, key: "s", cli: "growqr status" },
  { to: "/app/settings", label: "Settings", icon: Settings, key: ",", cli: "growqr token" },
];

/** In the navigation of admins alone. */
export const ADMIN: Place = {
  to: "/app/admin",
  label: "Admin",
  icon: Shield,
  key: "u",
  cli: "growqr users ls",
};

/** Whether a path is the place or within it. */
export function isAt(place: Place, path: string): boolean {
  return MORE[place.to]?.test(path) ?? path.startsWith(place.to.replace(/\/$/, ""));
}

/** Places that are more, or less, than what begins with their path. */
const MORE: Record<string, RegExp> = {
  "/app": /^\/app\/?$|^\/app\/chat\//,
  "/app/sub-agents": /^\/app\/(sub-agents|channels)\b/,
};

/** The picture of how an instance works, in a tab of its own. */
export const showArchitecture = () => beside("/assets/architecture.html");

/** The API, to read and to try, in a tab of its own. */
export const showApi = () => beside("/docs");

function beside(path: string): void {
  window.open(path, "_blank", "noopener");
}
