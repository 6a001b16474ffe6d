import { expect, test } from "vitest";
import { inOrder } from "@/ui";
import { piecesOf } from "@/ui/exact";

test("signs that turn the order of letters are dropped, or named where one decides", () => {
  const text = "rm \u202egnp.exe\u2066x\u2069";
  expect(inOrder(text)).toBe("rm gnp.exex");
  expect(piecesOf(text)).toEqual([
    "rm ",
    { code: "U+202E" },
    "gnp.exe",
    { code: "U+2066" },
    "x",
    { code: "U+2069" },
  ]);
  expect(piecesOf("שלום")).toEqual(["שלום"]);
});
