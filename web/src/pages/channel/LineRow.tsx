import { ChevronRight, Link2 } from "lucide-react";
import { cx, duration, Elapsed, inOrder, toneOf } from "@/ui";
import type { Call, Kind, Line } from "./lines";

export const HIGH = 30;

const COLOURS: Record<Kind, string> = {
  message: "text-accent",
  tool: "text-warn",
  progress: "text-info",
  lifecycle: "text-muted",
  error: "text-danger",
};

interface Props {
  line: Line;
  open: boolean;
  onOpen: () => void;
  onLink: () => void;
}

/** One line of HIGH pixels: when, what, and a button that opens it where there is more. */
export function LineRow({ line, open, onOpen, onLink }: Props) {
  const more = line.call !== null || line.whole !== null;
  const name = (
    <>
      <span className={cx("w-24 shrink-0 truncate max-md:w-20", colour(line))}>{line.name}</span>
      <span className={cx("truncate", line.bad ? "text-danger" : "text-ink")}>
        {open && line.whole !== null ? "" : inOrder(line.text)}
      </span>
    </>
  );
  const inside = "flex h-full min-w-0 flex-1 items-center gap-2 text-left";
  return (
    <div
      style={{ height: HIGH }}
      className="group flex items-center gap-2 pr-3 pl-1 hover:bg-sunken"
    >
      <button
        type="button"
        onClick={onLink}
        aria-label={`${clock(line.time)}, copy link to line ${line.seq}`}
        title={`Copy link · ${new Date(line.time).toLocaleString()}`}
        className="flex h-full shrink-0 items-center gap-1 rounded px-1 text-faint tabular-nums -outline-offset-2 hover:text-ink"
      >
        <Link2
          aria-hidden
          className="size-3 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 max-md:hidden"
        />
        <time dateTime={line.time}>{clock(line.time)}</time>
      </button>
      {more ? (
        <button
          type="button"
          aria-expanded={open}
          onClick={onOpen}
          className={cx(inside, "rounded -outline-offset-2")}
        >
          <Chevron open={open} />
          {name}
        </button>
      ) : (
        <div className={inside}>
          <span aria-hidden className="size-3.5 shrink-0" />
          {name}
        </div>
      )}
      {line.call && <CallState call={line.call} />}
    </div>
  );
}

function colour(line: Line): string {
  return line.bad ? "text-danger" : COLOURS[line.kind];
}

function clock(time: string): string {
  return new Date(time).toLocaleTimeString("en-GB");
}

function Chevron({ open }: { open: boolean }) {
  return (
    <ChevronRight
      aria-hidden
      className={cx("size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90")}
    />
  );
}

const MARKS: Record<string, string> = {
  good: "text-accent",
  info: "text-info",
  warn: "text-warn",
  bad: "text-danger",
};

function CallState({ call }: { call: Call }) {
  const { startedAt, endedAt, state } = call;
  return (
    <span className={cx("shrink-0 tabular-nums", MARKS[toneOf(state)] ?? "text-muted")}>
      {state !== "completed" && (
        <span className="max-md:sr-only">{state === "started" ? "running" : state} </span>
      )}
      {endedAt ? (
        duration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)))
      ) : (
        <Elapsed since={startedAt} />
      )}
    </span>
  );
}
