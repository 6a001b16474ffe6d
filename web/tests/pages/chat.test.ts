// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { outcomeOf } from "@/pages/decisions/words";
import { draftOf, forgetDrafts, keepDraft, readDraft } from "@/shell/drafts";
import type { Decision } from "@/stream";

beforeEach(() => sessionStorage.clear());

test("a draft outlives a reload, at its own place, with its key", () => {
  const draft = draftOf("half a sen");
  keepDraft("thr_a", draft);
  expect(readDraft("thr_a")).toEqual(draft);
  expect(readDraft("thr_b").text).toBe("");
  keepDraft("thr_a", draftOf(""));
  expect(sessionStorage.length).toBe(0);
});

test("broken drafts are none, and signing out forgets all", () => {
  sessionStorage.setItem("growqr.draft.thr_a", "{");
  sessionStorage.setItem("other", "stays");
  expect(readDraft("thr_a").text).toBe("");
  forgetDrafts();
  expect(Object.keys(sessionStorage)).toEqual(["other"]);
});

test("what was decided is said with who did it", () => {
  const decided = { state: "denied", answeredBy: "u_1" } as Decision;
  expect(outcomeOf(decided, "u_1")).toBe("Denied by you");
  expect(outcomeOf(decided, "u_2")).toBe("Denied by u_1");
  expect(outcomeOf({ ...decided, state: "expired" }, "u_1")).toMatch(/^Expired/);
});
