import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import Rendered from "@/ui/markdown/Rendered";

const html = (text: string, live = false) =>
  renderToStaticMarkup(<Rendered text={text} live={live} />);

const EVIL = [
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt&colon;alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x](java\tscript:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](vbscript:x)",
  "<a href='javascript:alert(1)'>x</a>",
  "[x][1]\n\n[1]: javascript:alert(1)",
  "<javascript:alert(1)>",
];

test.each(EVIL)("no link to %j", (text) => {
  for (const live of [false, true]) expect(html(text, live)).not.toMatch(/<a\b/i);
});

const RAW = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<iframe src='https://example.com'></iframe>",
  "before <b onclick='x()'>bold</b> <svg onload=alert(1)>",
  "<style>*{display:none}</style>",
  "<details open ontoggle=alert(1)>",
  "<form action=/api/v1/auth/logout><button>x</button></form>",
];

test.each(RAW)("no HTML of its own: %j", (text) => {
  for (const live of [false, true]) {
    expect(html(text, live)).not.toMatch(/<(script|img|iframe|b|svg|style|details|form)\b/i);
  }
});

test("no picture is fetched", () => {
  expect(html("![cat](https://example.com/cat.png)")).not.toMatch(/<img|src=/i);
  expect(html("![cat](https://example.com/cat.png)")).toContain("picture: cat");
});

test("links to the web open beside, without a word of where they were", () => {
  for (const to of ["https://example.com/a?b=c", "http://example.com/", "mailto:ann@example.com"]) {
    const found = html(`[there](${to})`);
    expect(found).toContain(`href="${to}"`);
    expect(found).toContain('target="_blank"');
    expect(found).toContain('rel="noopener noreferrer"');
  }
});

test("what markdown is for still works", () => {
  const found = html(
    "# Title\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx = 1 < 2\n```",
  );
  for (const tag of ["h1", "li", "table", "pre", "code"]) expect(found).toContain(`<${tag}`);
  expect(found).toContain("x = 1 &lt; 2");
});
