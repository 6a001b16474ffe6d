import { expect, test } from "vitest";
import { piecesOf } from "@/ui/exact";

test("characters that hide or turn others around stand there by their number", () => {
  expect(piecesOf("rm \u202ecod.exe")).toEqual(["rm ", { code: "U+202E" }, "cod.exe"]);
  expect(piecesOf("\u2066a\u2069")).toEqual([{ code: "U+2066" }, "a", { code: "U+2069" }]);
  expect(piecesOf("a\u200bb\u{e0041}")).toEqual([
    "a",
    { code: "U+200B" },
    "b",
    { code: "U+E0041" },
  ]);
});

test("letters of all scripts, emoji and lines stay as they are", () => {
  const text = "שלום, مرحبا\n\t👨‍👩‍👧 é";
  expect(piecesOf(text)).toEqual([text]);
  expect(piecesOf("")).toEqual([]);
});
