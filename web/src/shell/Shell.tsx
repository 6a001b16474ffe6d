import { Outlet, useNavigate } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { toast } from "sonner";
import { onSignedOut } from "@/api";
import { forgetInvite } from "@/pages/sign-in/fragment";
import { stream, useOpenDecisions } from "@/stream";
import { ConfirmDialog, Dialog, IconButton, useTitleCount, useWide } from "@/ui";
import { Banner } from "./Banner";
import { Brand } from "./Brand";
import { Nav } from "./Nav";
import { closeOverlay, openMenu, returnFocus, useOverlay } from "./overlays";
import { useFirstVisit } from "./useFirstVisit";
import { useKeys } from "./useKeys";
import { useWho } from "./useWho";

const NewThread = lazy(() => import("./NewThread"));
const Palette = lazy(() => import("./Palette"));
const Shortcuts = lazy(() => import("./Shortcuts"));

/** Around every page of somebody who is signed in. It owns the stream. */
export function Shell() {
  const navigate = useNavigate();
  const wide = useWide(768);
  const known = useWho().data !== undefined;
  useKeys();
  useTitleCount(useOpenDecisions().length);
  useFirstVisit();
  useEffect(() => {
    if (known) forgetInvite();
  }, [known]);
  useEffect(() => {
    stream.start();
    return onSignedOut(() => {
      const { pathname, search } = location;
      if (pathname === "/app/sign-in") return; // several requests learn of it
      if (known) toast.error("This browser was signed out elsewhere. Sign in again to go on.");
      const return_to = pathname + search;
      navigate({ to: "/app/sign-in", search: { return_to } });
    });
  }, [navigate, known]);
  return (
    <div className="flex h-full">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to the page
      </a>
      {wide && (
        <header className="w-(--pane) shrink-0 border-r bg-ground">
          <Nav />
        </header>
      )}
      <div className="flex min-w-0 flex-1 flex-col bg-surface">
        {!wide && <TopBar />}
        <Banner />
        <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Overlays />
      <ConfirmDialog />
    </div>
  );
}

function TopBar() {
  const overlay = useOverlay();
  const open = overlay === "menu" || overlay === "search";
  const waiting = useOpenDecisions().length;
  const label = waiting ? `Menu, ${waiting} open decisions` : "Menu";
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b bg-ground px-2">
      <span className="relative">
        <IconButton label={label} icon={<MenuIcon />} onClick={openMenu} />
        {waiting > 0 && (
          <span aria-hidden className="absolute top-1 right-1 size-2 rounded-full bg-accent" />
        )}
      </span>
      <Brand />
      <Dialog
        side="left"
        open={open}
        onOpenChange={(next) => next || closeOverlay()}
        onCloseAutoFocus={returnFocus}
        title="Menu"
        className="[&>div:last-child]:p-0"
      >
        <Nav onGo={closeOverlay} />
      </Dialog>
    </header>
  );
}

/** Loaded when they are first asked for. */
function Overlays() {
  const overlay = useOverlay();
  const [used, setUsed] = useState(false);
  useEffect(() => {
    if (overlay) setUsed(true);
  }, [overlay]);
  if (!used) return null;
  return (
    <Suspense>
      <NewThread />
      <Palette />
      <Shortcuts />
    </Suspense>
  );
}
