// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UNSEEN, watchBrowser } from "@/stream/browser";

const told: string[] = [];
const connection = {
  wake: () => told.push("wake"),
  lost: () => told.push("lost"),
  doze: () => told.push("doze"),
  look: () => told.push("look"),
};
let seen: DocumentVisibilityState;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  seen = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => seen);
  stop = watchBrowser(connection);
  told.length = 0;
});

afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const show = (next: DocumentVisibilityState) => {
  seen = next;
  document.dispatchEvent(new Event("visibilitychange"));
};

test("a page that is hidden for a while dozes until it is seen", () => {
  show("hidden");
  vi.advanceTimersByTime(UNSEEN * 1000 - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  show("visible");
  expect(told).toEqual(["doze", "look"]);
});

test("a short look elsewhere changes nothing, and who has stopped is told nothing", () => {
  show("hidden");
  vi.advanceTimersByTime(UNSEEN * 500);
  show("visible");
  vi.advanceTimersByTime(UNSEEN * 2000);
  expect(told).toEqual(["look"]);
  show("hidden");
  stop();
  vi.advanceTimersByTime(UNSEEN * 2000);
  expect(told).toEqual(["look"]);
});

test("a network that is back wakes it, and wakes nobody up who dozes", () => {
  window.dispatchEvent(new Event("offline"));
  window.dispatchEvent(new Event("online"));
  expect(told).toEqual(["lost", "wake"]);
});
