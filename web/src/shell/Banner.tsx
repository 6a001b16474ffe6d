import { CloudOff, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { type Line, useLine } from "@/stream";
import { cx, useNow } from "@/ui";

/** A second of grace: most reconnects nobody has to see. */
const GRACE = 1200;

/** How the stream stands, where it is not live. Screen readers hear every change. */
export function Banner() {
  const line = useLine();
  const [late, setLate] = useState(false);
  const well = line.phase === "live" || line.phase === "signed-out";
  useEffect(() => {
    setLate(false);
    if (well) return;
    const timer = setTimeout(() => setLate(true), GRACE);
    return () => clearTimeout(timer);
  }, [well]);
  const shown = !well && late;
  return (
    <div aria-live="polite" role="status" data-testid="line" data-phase={line.phase}>
      {shown && <Words line={line} />}
      {line.phase === "live" && <span className="sr-only">Connected</span>}
    </div>
  );
}

function Words({ line }: { line: Line }) {
  const now = useNow();
  const seconds = line.until ? Math.max(0, Math.ceil((line.until - now) / 1000)) : 0;
  const offline = line.phase === "offline";
  const words = {
    offline: "No network. What you see may be old.",
    connecting: "Connecting …",
    reconnecting: `Connection lost. ${seconds ? `Next try in ${seconds} s.` : "Trying again …"}`,
    live: "",
    "signed-out": "",
  }[line.phase];
  return (
    <div
      className={cx(
        "flex items-center gap-2 px-4 py-1.5 text-sm",
        offline ? "bg-danger-soft text-danger" : "bg-warn-soft text-warn",
      )}
    >
      {offline ? (
        <CloudOff aria-hidden className="size-4" />
      ) : (
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
      )}
      {words}
      {line.problem?.requestId && (
        <span className="ml-auto font-mono text-xs">{line.problem.requestId}</span>
      )}
    </div>
  );
}
