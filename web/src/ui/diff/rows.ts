/** A diff as rows, from two texts or from a unified diff. */
import { parsePatch, type StructuredPatchHunk, structuredPatch } from "diff";

export type Kind = "same" | "add" | "remove";

export interface Line {
  kind: Kind;
  /** Line numbers, counted from 1; null where that side has no such line. */
  old: number | null;
  now: number | null;
  text: string;
  /** What stands on the other side, where a line was changed: for marks within the line. */
  other?: string;
}

/** Lines that are left out, or the name of the next file. */
export interface Gap {
  kind: "gap" | "file";
  text: string;
}

export type Row = Line | Gap;

/** One row of the split view; null where that side is empty. */
export type Pair = Gap | { kind: "pair"; left: Line | null; right: Line | null };

export interface Lines {
  rows: Row[];
  added: number;
  removed: number;
  /** Too different to be compared in time: all of one, then all of the other. */
  coarse: boolean;
}

const LONGEST_MS = 1500;
const CONTEXT = 4;

/** Null stands for a file that is not there. */
export function ofTexts(before: string | null, after: string | null): Lines {
  const patch = structuredPatch("", "", before ?? "", after ?? "", undefined, undefined, {
    context: CONTEXT,
    timeout: LONGEST_MS,
  });
  if (patch) return counted(hunkRows(patch.hunks, lineCount(before)), false);
  const all = (text: string | null, sign: string) => lines(text).map((line) => sign + line);
  const whole = {
    oldStart: 1,
    oldLines: 0,
    newStart: 1,
    newLines: 0,
    lines: [...all(before, "-"), ...all(after, "+")],
  };
  return counted(hunkRows([whole], null), true);
}

/** Throws Error where the text is no unified diff. */
export function ofPatch(patch: string): Lines {
  const rows: Row[] = [];
  const files = parsePatch(patch);
  for (const file of files) {
    const name = nameOf(file.newFileName) ?? nameOf(file.oldFileName);
    if (name) rows.push({ kind: "file", text: name });
    rows.push(...hunkRows(file.hunks, null));
  }
  return counted(rows, false);
}

/** Rows side by side: what was removed beside what came in its place. */
export function pairs(rows: Row[]): Pair[] {
  const found: Pair[] = [];
  let at = 0;
  while (at < rows.length) {
    const row = rows[at] as Row;
    if (row.kind === "gap" || row.kind === "file") {
      found.push(row as Gap);
      at++;
    } else if (row.kind === "same") {
      found.push({ kind: "pair", left: row as Line, right: row as Line });
      at++;
    } else {
      const [removed, added, end] = block(rows, at);
      for (let row = 0; row < Math.max(removed.length, added.length); row++) {
        found.push({ kind: "pair", left: removed[row] ?? null, right: added[row] ?? null });
      }
      at = end;
    }
  }
  return found;
}

/** Where two lines differ, as ends of the part in `text`; null where little is the same. */
export function changedPart(text: string, other: string): [number, number] | null {
  const most = Math.min(text.length, other.length);
  let start = 0;
  while (start < most && text[start] === other[start]) start++;
  let tail = 0;
  while (tail < most - start && text[text.length - 1 - tail] === other[other.length - 1 - tail]) {
    tail++;
  }
  const enough = (start + tail) * 3 >= Math.max(text.length, other.length);
  return enough ? [start, text.length - tail] : null;
}

function hunkRows(hunks: StructuredPatchHunk[], total: number | null): Row[] {
  const rows: Row[] = [];
  let next = 1;
  for (const hunk of hunks) {
    const skipped = hunk.oldStart - next;
    if (skipped > 0) rows.push({ kind: "gap", text: unchanged(skipped) });
    let old = hunk.oldStart;
    let now = hunk.newStart;
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line[0] === "\\") continue;
      if (line[0] === "-") rows.push({ kind: "remove", old: old++, now: null, text });
      else if (line[0] === "+") rows.push({ kind: "add", old: null, now: now++, text });
      else rows.push({ kind: "same", old: old++, now: now++, text });
    }
    next = old;
  }
  if (total !== null && rows.length && total >= next) {
    rows.push({ kind: "gap", text: unchanged(total - next + 1) });
  }
  match(rows);
  return rows;
}

/** Give changed lines their counterpart, where as many came as went. */
function match(rows: Row[]): void {
  for (let at = 0; at < rows.length; at++) {
    if (rows[at]?.kind !== "remove" && rows[at]?.kind !== "add") continue;
    const [removed, added, end] = block(rows, at);
    if (removed.length === added.length) {
      removed.forEach((line, row) => {
        const twin = added[row] as Line;
        line.other = twin.text;
        twin.other = line.text;
      });
    }
    at = end - 1;
  }
}

/** The removed and the added lines that begin at a row, and where they end. */
function block(rows: Row[], start: number): [Line[], Line[], number] {
  const removed: Line[] = [];
  const added: Line[] = [];
  let at = start;
  while (rows[at]?.kind === "remove") removed.push(rows[at++] as Line);
  while (rows[at]?.kind === "add") added.push(rows[at++] as Line);
  return [removed, added, at];
}

function counted(rows: Row[], coarse: boolean): Lines {
  let added = 0;
  let removed = 0;
  for (const { kind } of rows) {
    if (kind === "add") added++;
    else if (kind === "remove") removed++;
  }
  return { rows, added, removed, coarse };
}

const unchanged = (amount: number) =>
  amount === 1 ? "1 unchanged line" : `${amount.toLocaleString("en")} unchanged lines`;

const lines = (text: string | null) => (text ? text.replace(/\n$/, "").split("\n") : []);
const lineCount = (text: string | null) => lines(text).length;

function nameOf(name: string | undefined): string | null {
  if (!name || name === "/dev/null") return null;
  return name.replace(/^[ab]\//, "");
}
