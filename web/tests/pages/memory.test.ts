import { expect, test } from "vitest";
import { pieces } from "@/pages/memory/hits";
import { branches, foldersOf, move } from "@/pages/memory/tree";

const FILES = ["a.md", "notes/b.md", "notes/deep/c.md", "people/ann.md"].map((path) => ({
  path,
  pending: path.includes("deep"),
}));
const seen = (...opened: string[]) => branches(FILES, new Set(opened));
const paths = (...opened: string[]) => seen(...opened).map((row) => row.path);

test("folders come before files, closed ones count what is in them", () => {
  expect(paths()).toEqual(["notes", "people", "a.md"]);
  expect(seen()[0]).toMatchObject({ files: 2, open: false, pending: true, depth: 0 });
  expect(paths("notes", "notes/deep")).toEqual([
    "notes",
    "notes/deep",
    "notes/deep/c.md",
    "notes/b.md",
    "people",
    "a.md",
  ]);
  expect(foldersOf("notes/deep/c.md")).toEqual(["notes", "notes/deep"]);
});

test("keys walk the tree", () => {
  const rows = seen("notes");
  expect(move(rows, "notes", "ArrowDown")).toEqual({ focus: "notes/deep" });
  expect(move(rows, "notes", "ArrowUp")).toBeNull();
  expect(move(rows, "notes/deep", "ArrowRight")).toEqual({ open: "notes/deep" });
  expect(move(rows, "notes", "ArrowRight")).toEqual({ focus: "notes/deep" });
  expect(move(rows, "notes", "ArrowLeft")).toEqual({ close: "notes" });
  expect(move(rows, "notes/b.md", "ArrowLeft")).toEqual({ focus: "notes" });
  expect(move(rows, "notes", "End")).toEqual({ focus: "a.md" });
  expect(move(rows, "a.md", "ArrowDown")).toBeNull();
});

test("whole words are marked, signs of patterns are no patterns", () => {
  const hits = (text: string, query: string) =>
    pieces(text, query).flatMap((piece) => (piece.hit ? [piece.text] : []));
  expect(hits("The launch is on Friday; relaunch later.", "friday launch")).toEqual([
    "launch",
    "Friday",
  ]);
  expect(hits("a (b) .* c", "(b .*")).toEqual(["b"]);
  expect(hits("Größe", "größe")).toEqual(["Größe"]);
  expect(pieces("x y", "y").map((piece) => piece.text)).toEqual(["x ", "y"]);
  expect(hits("anything", "***")).toEqual([]);
});
