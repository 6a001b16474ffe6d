/** Every page and its path. Pages are loaded when they are opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { type AdminTab, isAdminTab } from "./pages/admin/tabs";
import { isSettingsTab, type SettingsTab } from "./pages/settings/tabs";
import { Boundary } from "./shell/Boundary";
import { NotFound } from "./shell/NotFound";
import { Shell } from "./shell/Shell";

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: Boundary,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/app", replace: true });
  },
});

interface SignInSearch {
  return_to?: string;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/app/sign-in",
  // What Clerk's page adds to the address stays, until Clerk's script has taken it.
  validateSearch: ({ return_to, ...others }): SignInSearch => ({
    ...others,
    ...(typeof return_to === "string" && { return_to }),
  }),
  component: lazyRouteComponent(() => import("./pages/sign-in"), "SignInPage"),
});

const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

const chat = createRoute({
  getParentRoute: () => shell,
  path: "/app",
  component: lazyRouteComponent(() => import("./pages/chat"), "MasterChatPage"),
});

const thread = createRoute({
  getParentRoute: () => shell,
  path: "/app/chat/$threadId",
  component: lazyRouteComponent(() => import("./pages/chat"), "ThreadChatPage"),
});

const channel = createRoute({
  getParentRoute: () => shell,
  path: "/app/channels/$subAgentId",
  component: lazyRouteComponent(() => import("./pages/channel"), "ChannelPage"),
});

const subAgents = createRoute({
  getParentRoute: () => shell,
  path: "/app/sub-agents",
  component: lazyRouteComponent(() => import("./pages/sub-agents"), "SubAgentsPage"),
});

const decisions = createRoute({
  getParentRoute: () => shell,
  path: "/app/decisions",
  component: lazyRouteComponent(() => import("./pages/decisions"), "DecisionsPage"),
});

const changes = createRoute({
  getParentRoute: () => shell,
  path: "/app/changes",
  component: lazyRouteComponent(() => import("./pages/changes"), "ChangesPage"),
});

const memory = createRoute({
  getParentRoute: () => shell,
  path: "/app/memory/$",
  component: lazyRouteComponent(() => import("./pages/memory"), "MemoryPage"),
});

interface EventsSearch {
  seq?: number;
}

const events = createRoute({
  getParentRoute: () => shell,
  path: "/app/events",
  validateSearch: (search): EventsSearch => {
    const seq = Number(search.seq);
    return Number.isSafeInteger(seq) && seq > 0 ? { seq } : {};
  },
  component: lazyRouteComponent(() => import("./pages/events"), "EventsPage"),
});

const status = createRoute({
  getParentRoute: () => shell,
  path: "/app/status",
  component: lazyRouteComponent(() => import("./pages/status"), "StatusPage"),
});

/** `make`: the form for a new one is open. */
interface SettingsSearch {
  tab?: SettingsTab;
  make?: true;
}

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/app/settings",
  validateSearch: ({ tab, make }): SettingsSearch => ({
    ...(isSettingsTab(tab) && { tab }),
    ...(make === true && { make }),
  }),
  component: lazyRouteComponent(() => import("./pages/settings"), "SettingsPage"),
});

interface AdminSearch {
  tab?: AdminTab;
  make?: true;
}

const admin = createRoute({
  getParentRoute: () => shell,
  path: "/app/admin",
  validateSearch: ({ tab, make }): AdminSearch => ({
    ...(isAdminTab(tab) && { tab }),
    ...(make === true && { make }),
  }),
  component: lazyRouteComponent(() => import("./pages/admin"), "AdminPage"),
});

const welcome = createRoute({
  getParentRoute: () => shell,
  path: "/app/welcome",
  component: lazyRouteComponent(() => import("./pages/welcome"), "WelcomePage"),
});

const pages = [
  chat,
  thread,
  channel,
  subAgents,
  decisions,
  changes,
  memory,
  events,
  status,
  settings,
  admin,
  welcome,
];

export const router = createRouter({
  routeTree: root.addChildren([home, signIn, shell.addChildren(pages)]),
  defaultErrorComponent: Boundary,
  defaultPreload: "intent",
  defaultPendingMs: 300,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
