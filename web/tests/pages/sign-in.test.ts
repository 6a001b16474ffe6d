// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { safeReturn } from "@/pages/sign-in/enter";

test.each(["/app", "/app/settings?tab=keys", "/app/chat/thr_1", "/app?x=//evil.example"])(
  "back to %s",
  (to) => {
    expect(safeReturn(to)).toBe(to);
  },
);

test.each([
  undefined,
  "",
  "/",
  "/auth/github",
  "/application",
  "/app.evil.test",
  "/app//\\evil.example",
  "https://evil.example/app",
  "//evil.example/app",
  "/\\evil.example",
  "/app/..//evil.example",
  "/app/%2e%2e//evil.example",
  "/app\\..\\\\evil.example",
  "/app\t/..//evil.example",
  "javascript:alert(1)//app",
])("%j leads to the chat", (to) => {
  expect(safeReturn(to)).toBe("/app");
});
