import { expect, test } from "vitest";
import { inOrder, inPlainSight } from "@/ui";

test("signs that turn the order of letters are dropped, or shown where one decides", () => {
  const text = "rm \u202egnp.exe\u2066x\u2069";
  expect(inOrder(text)).toBe("rm gnp.exex");
  expect(inPlainSight(text)).toBe("rm [U+202E]gnp.exe[U+2066]x[U+2069]");
  expect(inPlainSight("שלום")).toBe("שלום");
});
