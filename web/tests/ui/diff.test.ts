import { expect, test } from "vitest";
import { reveal } from "@/ui/diff/reveal";
import { changedPart, type Line, ofPatch, ofTexts, pairs } from "@/ui/diff/rows";
import { shown } from "@/ui/diff/useRows";
import { nextChange } from "@/ui/diff/View";

const text = (count: number, change: (at: number) => string = String) =>
  `${Array.from({ length: count }, (_, at) => change(at + 1)).join("\n")}\n`;

const signs = (rows: { kind: string }[]) => rows.map(({ kind }) => kind[0]).join("");

test("a changed line stands between its neighbours, the rest is counted", () => {
  const diff = ofTexts(
    text(20),
    text(20, (at) => (at === 10 ? "ten" : String(at))),
  );
  expect(diff.rows[0]).toEqual({ kind: "gap", text: "5 unchanged lines" });
  expect(diff.rows.at(-1)).toEqual({ kind: "gap", text: "6 unchanged lines" });
  expect(signs(diff.rows)).toBe("gssssrassssg");
  expect(diff.rows[5]).toEqual({ kind: "remove", old: 10, now: null, text: "10", other: "ten" });
  expect(diff.rows[6]).toEqual({ kind: "add", old: null, now: 10, text: "ten", other: "10" });
  expect([diff.added, diff.removed]).toEqual([1, 1]);
});

test("files that come and go", () => {
  expect(signs(ofTexts(null, "a\nb\n").rows)).toBe("aa");
  expect(signs(ofTexts("a\nb", null).rows)).toBe("rr");
  expect(ofTexts("a\n", "a\n").rows).toEqual([]);
  expect(ofTexts(null, "").rows).toEqual([]);
});

test("a last line without its end is a line", () => {
  const { rows } = ofTexts("a\nb", "a\nb\nc");
  expect((rows as Line[]).filter((row) => row.kind === "add").map((row) => row.text)).toContain(
    "c",
  );
  expect(rows.some((row) => row.text.startsWith(" No newline"))).toBe(false);
});

test("numbers count up on both sides", () => {
  const { rows } = ofTexts(
    text(3000),
    text(3000, (at) => (at % 7 ? String(at) : `${at}!`)),
  );
  for (const side of ["old", "now"] as const) {
    const numbers = (rows as Line[]).map((row) => row[side]).filter((number) => number != null);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
});

test("a unified diff of several files", () => {
  const patch = [
    "diff --git a/x.py b/x.py",
    "--- a/x.py",
    "+++ b/x.py",
    "@@ -3,2 +3,3 @@ def f():",
    " one",
    "-two",
    "+2",
    "+three",
    "--- /dev/null",
    "+++ b/new.txt",
    "@@ -0,0 +1 @@",
    "+hello",
    "",
  ].join("\n");
  const { rows, added, removed } = ofPatch(patch);
  expect([added, removed]).toEqual([3, 1]);
  expect(rows.filter((row) => row.kind === "file").map((row) => row.text)).toEqual([
    "x.py",
    "new.txt",
  ]);
  expect(rows.at(-1)).toMatchObject({ kind: "add", now: 1, text: "hello" });
  expect(rows.find((row) => row.text === "two")).toMatchObject({ old: 4 });
});

test("side by side, what went stands beside what came", () => {
  const { rows } = ofTexts("a\nb\nc\nd\n", "a\nB\nd\n");
  const sides = pairs(rows).map((row) =>
    row.kind === "pair" ? [row.left?.text ?? null, row.right?.text ?? null] : row.text,
  );
  expect(sides).toEqual([
    ["a", "a"],
    ["b", "B"],
    ["c", null],
    ["d", "d"],
  ]);
});

test("the part of a line that changed", () => {
  expect(changedPart("on Friday at noon", "on Monday at noon")).toEqual([3, 6]);
  expect(changedPart("aaa", "aa")).toEqual([2, 3]);
  expect(changedPart("abc", "xyz")).toBeNull();
});

test("texts that share nothing come to an end in time", () => {
  const start = performance.now();
  const { added, removed } = ofTexts(
    text(30_000, (at) => `a${at}`),
    text(30_000, (at) => `b${at}`),
  );
  expect([added, removed]).toEqual([30_000, 30_000]);
  expect(performance.now() - start).toBeLessThan(6000);
});

test("hidden signs are written out, and a huge line is cut", () => {
  expect(reveal("user\u202e nimda")).toBe("user‹U+202E› nimda");
  expect(reveal("a\u200bb\tc")).toBe("a‹U+200B›b\tc");
  expect(reveal("x".repeat(100_000)).length).toBeLessThan(2100);
});

test("only what can be seen, and a little more, is rendered", () => {
  for (const top of [0, 600, 9_990]) {
    const [first, end] = shown(top, 40, 10_000);
    expect(first).toBeLessThanOrEqual(top);
    expect(end).toBeGreaterThanOrEqual(Math.min(10_000, top + 40));
    expect(end - first).toBeLessThan(120);
  }
  expect(shown(9_000, 40, 10)).toEqual([0, 10]);
});

test("from change to change", () => {
  const { rows } = ofTexts(
    text(60),
    text(60, (at) => (at === 5 || at === 50 ? "x" : String(at))),
  );
  const first = nextChange(rows, -1, 1) as number;
  const second = nextChange(rows, first, 1) as number;
  expect(rows[first]).toMatchObject({ kind: "remove", old: 5 });
  expect(rows[second]).toMatchObject({ kind: "remove", old: 50 });
  expect(nextChange(rows, second, 1)).toBeNull();
  expect(nextChange(rows, second, -1)).toBe(first);
});
