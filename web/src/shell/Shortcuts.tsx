import { Dialog, Kbd } from "@/ui";
import { closeOverlay, useOverlay } from "./overlays";
import { PLACES } from "./pages";

const KEYS: [string, string][] = [
  ["Ctrl K", "Search or jump to"],
  ["?", "This list"],
  ["Enter", "Send a message"],
  ["Shift Enter", "A new line in it"],
  ["Esc", "Close what is open, else stop the turn"],
];

export default function Shortcuts() {
  const open = useOverlay() === "shortcuts";
  const rows = [...KEYS, ...PLACES.map(({ key, label }) => [`g ${key}`, label] as const)];
  return (
    <Dialog open={open} onOpenChange={(next) => next || closeOverlay()} title="Keyboard shortcuts">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
        {rows.map(([keys, what]) => (
          <div key={keys} className="contents">
            <dt>
              <Kbd keys={keys} />
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
