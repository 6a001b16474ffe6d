/** The diff itself: only the rows that can be seen are in the page. */
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { IconButton } from "../Button";
import { cx } from "../cx";
import type { DiffProps } from "../Diff";
import { useWide } from "../wide";
import { SplitRow, UnifiedRow } from "./Rows";
import { ofPatch, ofTexts, type Pair, pairs, type Row } from "./rows";
import { ROW, useRows } from "./useRows";

export default function View({ label, className, ...given }: DiffProps) {
  const { before, after, patch } = given as { before?: string; after?: string; patch?: string };
  const diff = useMemo(
    () => (patch === undefined ? ofTexts(before ?? null, after ?? null) : ofPatch(patch)),
    [before, after, patch],
  );
  const roomy = useWide(900);
  const [wanted, setWanted] = useState(false);
  const split = wanted && roomy;
  const rows = useMemo(() => (split ? pairs(diff.rows) : diff.rows), [diff, split]);
  const box = useRef<HTMLElement>(null);
  const [first, end] = useRows(box, rows.length);
  const width = useMemo(() => longest(diff.rows), [diff]);
  if (!diff.added && !diff.removed) {
    return <p className="rounded-lg border bg-sunken p-3 text-muted">No line differs.</p>;
  }
  const go = (step: 1 | -1) => {
    const element = box.current;
    if (!element) return;
    const at = nextChange(rows, Math.round(element.scrollTop / ROW) + 3, step);
    if (at !== null) element.scrollTop = (at - 3) * ROW;
  };
  return (
    <div className={cx("flex min-h-0 flex-col overflow-hidden rounded-lg border", className)}>
      <div className="flex h-10 shrink-0 items-center gap-3 border-b bg-sunken px-3 text-sm">
        <span className="font-mono text-accent">+{diff.added.toLocaleString("en")}</span>
        <span className="font-mono text-danger">−{diff.removed.toLocaleString("en")}</span>
        {diff.coarse && <span className="truncate text-muted">too different to be matched</span>}
        <span className="ml-auto flex items-center gap-1">
          <IconButton
            className="size-8"
            label="Change before"
            icon={<ArrowUp />}
            onClick={() => go(-1)}
          />
          <IconButton
            className="size-8"
            label="Next change"
            icon={<ArrowDown />}
            onClick={() => go(1)}
          />
          {roomy && <Modes split={split} onChange={setWanted} />}
        </span>
      </div>
      <section
        ref={box}
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
        tabIndex={0}
        className="scroll-thin min-h-0 flex-1 overflow-auto overscroll-contain bg-surface outline-offset-[-2px] [contain:strict]"
        style={{ minHeight: Math.min(rows.length * ROW + 16, 320) }}
      >
        <div
          className="min-w-full"
          style={{
            height: rows.length * ROW,
            width: split ? `max(100%, ${2 * width + 16}ch)` : `max(100%, ${width + 18}ch)`,
            paddingTop: first * ROW,
            fontFamily: "var(--font-mono)",
            fontSize: 13,
          }}
        >
          {rows.slice(first, end).map((row, at) => {
            const key = first + at;
            return split ? (
              <SplitRow key={key} row={row as Pair} />
            ) : (
              <UnifiedRow key={key} row={row as Row} />
            );
          })}
        </div>
      </section>
    </div>
  );
}

function Modes({ split, onChange }: { split: boolean; onChange: (split: boolean) => void }) {
  const mode = (label: string, its: boolean) => (
    <button
      type="button"
      aria-pressed={split === its}
      onClick={() => onChange(its)}
      className="h-7 rounded-md px-2 text-muted aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-sm"
    >
      {label}
    </button>
  );
  return (
    <fieldset className="flex" aria-label="View">
      {mode("Unified", false)}
      {mode("Split", true)}
    </fieldset>
  );
}

const changes = (row: Row | Pair | undefined): boolean =>
  row !== undefined &&
  (row.kind === "pair"
    ? row.left?.kind !== "same" || row.right?.kind !== "same"
    : row.kind === "add" || row.kind === "remove");

/** Where the next block of changes begins, seen from a row. */
export function nextChange(rows: (Row | Pair)[], from: number, step: 1 | -1): number | null {
  for (let at = from + step; at >= 0 && at < rows.length; at += step) {
    if (changes(rows[at]) && !changes(rows[at - 1])) return at;
  }
  return null;
}

/** Characters of the longest line, as far as one is shown. */
function longest(rows: Row[]): number {
  let most = 0;
  for (const { text } of rows) {
    const tabs = text.length < 400 ? text.split("\t").length - 1 : 0;
    most = Math.max(most, Math.min(text.length, 2100) + tabs * 3);
  }
  return most;
}
