import { PanelRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";
import { Dialog } from "./Dialog";
import { useFolded } from "./folded";
import { useTitle } from "./useTitle";
import { useWide } from "./wide";

interface Props {
  title: string;
  /** Beside the title, such as a badge. */
  note?: ReactNode;
  actions?: ReactNode;
  /** The third pane; a drawer where there is no room for it. */
  aside?: ReactNode;
  asideLabel?: string;
  /** The third pane can be folded away; the browser remembers it under this name. */
  asideFold?: string;
  /** `own`: the page scrolls by itself, as a chat does. */
  scroll?: "page" | "own";
  children: ReactNode;
}

/** A page in the shell: its header, its main part and, if it has one, the third pane. */
export function Page(props: Props) {
  const { title, note, actions, aside, asideLabel = "Details", scroll = "page", children } = props;
  const [folded, fold] = useFolded(props.asideFold ?? "");
  const hidden = folded && props.asideFold !== undefined;
  const roomy = useWide(1100);
  const [open, setOpen] = useState(false);
  useTitle(title);
  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-14 shrink-0 items-center gap-2 border-b px-4 max-md:h-12">
          <h1 className="truncate font-semibold">{title}</h1>
          {note}
          <div className="ml-auto flex items-center gap-1">
            {actions}
            {aside && !roomy && (
              <IconButton label={asideLabel} icon={<PanelRight />} onClick={() => setOpen(true)} />
            )}
            {aside && roomy && props.asideFold !== undefined && (
              <IconButton
                label={`${hidden ? "Show" : "Hide"} ${asideLabel}`}
                icon={<PanelRight />}
                aria-expanded={!hidden}
                onClick={() => fold(!hidden)}
              />
            )}
          </div>
        </header>
        <div
          className={cx(
            "min-h-0 flex-1",
            scroll === "page" ? "scroll-thin overflow-y-auto p-4 md:p-6" : "flex flex-col",
          )}
        >
          {children}
        </div>
      </div>
      {aside && roomy && !hidden && (
        <aside
          aria-label={asideLabel}
          className="scroll-thin w-80 shrink-0 overflow-y-auto border-l bg-surface/60 p-4"
        >
          {aside}
        </aside>
      )}
      {aside && !roomy && (
        <Dialog side="right" open={open} onOpenChange={setOpen} title={asideLabel}>
          {aside}
        </Dialog>
      )}
    </div>
  );
}
