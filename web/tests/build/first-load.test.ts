import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type Bundle, firstLoad } from "../../firstLoad";

const chunk = (code: string, imports: string[] = [], isEntry = false) =>
  ({ type: "chunk", code, imports, isEntry }) as const;
const packed = (...texts: string[]) => texts.reduce((sum, text) => sum + gzipSync(text).length, 0);

test("the first load is the entry, all it imports at once, and the styles", () => {
  const bundle: Bundle = {
    "entry.js": chunk("entry", ["a.js"], true),
    "a.js": chunk("aaa", ["b.js", "outside"]),
    "b.js": chunk("bb", ["a.js"]), // a circle
    "lazy.js": chunk("only when it is asked for", ["a.js"]),
    "page.css": { type: "asset", source: "p { color: red }" },
    "picture.svg": { type: "asset", source: "<svg/>" },
  };
  expect(firstLoad(bundle)).toBe(packed("entry", "aaa", "bb", "p { color: red }"));
});
