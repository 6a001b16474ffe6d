import { CloudOff, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { type Line, useLine } from "@/stream";
import { cx, RequestId, useNow } from "@/ui";

/** A second of grace: most reconnects nobody has to see. */
const GRACE = 1200;

/** How the stream stands, where it is not live. Screen readers hear every change. */
export function Banner() {
  const line = useLine();
  const [late, setLate] = useState(false);
  const [since, setSince] = useState(0);
  const well = line.phase === "live" || line.phase === "signed-out";
  useEffect(() => {
    setLate(false);
    if (well) return;
    setSince(Date.now());
    const timer = setTimeout(() => setLate(true), GRACE);
    return () => clearTimeout(timer);
  }, [well]);
  const shown = !well && late;
  return (
    <div aria-live="polite" role="status" data-testid="line" data-phase={line.phase}>
      {shown && <Words line={line} since={since} />}
      {line.phase === "live" && <span className="sr-only">Connected</span>}
    </div>
  );
}

function Words({ line, since }: { line: Line; since: number }) {
  const now = useNow();
  const seconds = line.until ? Math.max(0, Math.ceil((line.until - now) / 1000)) : 0;
  const offline = line.phase === "offline";
  const time = new Date(since).toLocaleTimeString();
  const words = {
    offline: `No network since ${time}. What you see may be old; it goes on once there is one.`,
    connecting: "Connecting …",
    reconnecting: `No connection since ${time}.`,
    live: "",
    "signed-out": "",
  }[line.phase];
  return (
    <div
      className={cx(
        "flex flex-wrap items-center gap-2 px-4 py-1.5 text-sm",
        offline ? "bg-danger-soft text-danger" : "bg-warn-soft text-warn",
      )}
    >
      {offline ? (
        <CloudOff aria-hidden className="size-4" />
      ) : (
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
      )}
      {words}
      {line.phase === "reconnecting" && (
        <span aria-hidden>{seconds ? `Next try in ${seconds} s.` : "Trying again …"}</span>
      )}
      {line.problem?.requestId && (
        <span className="ml-auto">
          <RequestId id={line.problem.requestId} />
        </span>
      )}
    </div>
  );
}
