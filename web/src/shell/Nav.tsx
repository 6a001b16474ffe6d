import { Link, useRouterState } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useOpenDecisions } from "@/stream";
import { cx, Kbd } from "@/ui";
import { Brand } from "./Brand";
import { openPalette } from "./overlays";
import { isAt, type Place } from "./pages";
import { Threads } from "./threads";
import { UserMenu } from "./UserMenu";
import { usePlaces } from "./usePlaces";

/** The first pane: pages, threads, channels, who is signed in. `onGo`: a drawer closes. */
export function Nav({ onGo }: { onGo?: () => void }) {
  const places = usePlaces();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: links in it are what is pressed
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div
      className="flex h-full min-h-0 flex-col"
      onClick={(click) => leaves(click.target) && onGo?.()}
    >
      <div className="flex h-14 shrink-0 items-center px-4 max-md:hidden">
        <Brand />
      </div>
      <div className="px-3 pb-2">
        <button
          type="button"
          onClick={openPalette}
          className="flex h-9 w-full items-center gap-2 rounded-lg border border-line bg-surface px-2.5 text-muted text-sm hover:text-ink"
        >
          <Search aria-hidden className="size-4" /> Search or jump to
          <span className="ml-auto max-md:hidden">
            <Kbd keys="Ctrl K" />
          </span>
        </button>
      </div>
      <nav aria-label="Pages" className="px-2">
        <ul>
          {places.map((place) => (
            <li key={place.to}>
              <PlaceLink place={place} />
            </li>
          ))}
        </ul>
      </nav>
      <Threads />
      <UserMenu />
    </div>
  );
}

function leaves(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a") !== null;
}

function PlaceLink({ place }: { place: Place }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const open = useOpenDecisions().length;
  const here = isAt(place, path);
  const Icon = place.icon;
  const waiting = place.to === "/app/decisions" ? open : 0;
  return (
    <Link
      to={place.to}
      aria-current={here ? "page" : undefined}
      className={cx(
        "flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-muted hover:bg-sunken hover:text-ink",
        here && "bg-accent-soft font-medium text-accent hover:bg-accent-soft hover:text-accent",
      )}
    >
      <Icon aria-hidden className="size-[1.1rem]" />
      {place.label}
      {waiting > 0 && (
        <span className="ml-auto rounded-full bg-accent px-1.5 font-semibold text-on-accent text-xs leading-5">
          {waiting}
          <span className="sr-only"> open</span>
        </span>
      )}
    </Link>
  );
}
