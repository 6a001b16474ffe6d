import { Dialog, Kbd } from "@/ui";
import { closeOverlay, returnFocus, useOverlay } from "./overlays";
import type { Place } from "./pages";
import { usePlaces } from "./usePlaces";

type Keys = [keys: string, what: string][];

const groupsOf = (places: Place[]): [heading: string, keys: Keys][] => [
  [
    "Everywhere",
    [
      ["Ctrl K", "Search or jump to (Cmd K on a Mac)"],
      ["/", "Search threads"],
      ["?", "This list"],
      ["Esc", "Close what is open"],
    ],
  ],
  ["Go to", places.map(({ key, label }) => [`g ${key}`, label])],
  [
    "Writing",
    [
      ["Enter", "Send a message"],
      ["Shift Enter", "A new line in a message"],
      ["Esc", "Stop the turn"],
      ["Ctrl Enter", "Save a note, or give a sub-agent its task"],
    ],
  ],
  [
    "In a list or tree",
    [
      ["↑ ↓", "Move"],
      ["Home End", "To the first or the last"],
      ["← →", "Close or open a folder"],
      ["Enter", "Open a file, or open and close a folder"],
    ],
  ],
];

export default function Shortcuts() {
  const open = useOverlay() === "shortcuts";
  const groups = groupsOf(usePlaces());
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => next || closeOverlay()}
      title="Keyboard shortcuts"
      onCloseAutoFocus={returnFocus}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys */}
      <div className="grid gap-5" tabIndex={0}>
        {groups.map(([heading, keys]) => (
          <section key={heading} aria-label={heading}>
            <h3 className="pb-2 font-medium text-muted text-sm">{heading}</h3>
            <dl className="grid grid-cols-[6.5rem_1fr] items-center gap-x-4 gap-y-2">
              {keys.map(([key, what]) => (
                <div key={key} className="contents">
                  <dt>
                    <Kbd keys={key} />
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
