// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { titleOf } from "@/pages/chat/say";
import { outcomeOf } from "@/pages/decisions/words";
import { draftOf, forgetDrafts, keepDraft, readDraft } from "@/shell/drafts";
import { foundIn } from "@/shell/threadSearch";
import type { Decision, Thread } from "@/stream";

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

test("a thread is named by the first line of its first message", () => {
  expect(titleOf("  Tea\nwith milk")).toBe("Tea");
  expect(titleOf(`${"word ".repeat(20)}`)).toBe(`${"word ".repeat(12).trim()}…`);
  expect(Array.from(titleOf("🍵".repeat(100)))).toHaveLength(61);
});

const thread = (id: string, title: string, more: Partial<Thread> = {}) =>
  ({ id, title, kind: "thread", archived: false, subAgentId: null, ...more }) as Thread;

test("threads are found by their names at once, and by what was said in them", () => {
  const all = [
    thread("a", "Tea in China"),
    thread("b", "Trains"),
    thread("c", "Old tea", { archived: true }),
    thread("d", "ch-1", { kind: "channel", subAgentId: "coding-1" }),
  ];
  const found = foundIn(all, " TEA ", new Set(["b", "a"]));
  expect(found.threads.map((one) => one.id)).toEqual(["a"]);
  expect(found.said.map((one) => one.id)).toEqual(["b"]);
  expect(found.archived.map((one) => one.id)).toEqual(["c"]);
  expect(foundIn(all, "coding", new Set()).channels.map((one) => one.id)).toEqual(["d"]);
  expect(foundIn(all, "zebra", new Set()).none).toBe(true);
  expect(foundIn(all, "", new Set()).threads.map((one) => one.id)).toEqual(["a", "b"]);
});

test("what was decided is said with who did it", () => {
  const decided = { state: "denied", answeredBy: "u_1" } as Decision;
  expect(outcomeOf(decided, "u_1")).toBe("Denied by you");
  expect(outcomeOf(decided, "u_2")).toBe("Denied by u_1");
  expect(outcomeOf({ ...decided, state: "expired" }, "u_1")).toMatch(/^Expired/);
});
