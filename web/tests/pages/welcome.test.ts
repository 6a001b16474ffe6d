import { expect, test } from "vitest";
import type { BootstrapView } from "@/api";
import { type Phase, phasesOf } from "@/pages/welcome/phases";
import type { Service } from "@/stream";

const DATA = { user: { name: "Ann" } } as BootstrapView;
const FRESH = {
  boot: { error: null },
  awake: false,
  opencode: undefined,
  memory: { done: false, error: null },
};
const HERE = { ...FRESH, boot: { data: DATA, error: null } };

const opencode = (state: string, reason: string | null = null, news: (string | null)[] = []) =>
  ({ state, reason, news: news.map((text) => ({ text })) }) as Service;

const states = (known: Parameters<typeof phasesOf>[0]) => phasesOf(known).map((one) => one.state);

function phase(id: Phase["id"], known: Parameters<typeof phasesOf>[0]): Phase {
  const found = phasesOf(known).find((one) => one.id === id);
  if (!found) throw new Error(`no phase ${id}`);
  return found;
}

test("the account comes first, then all others at once", () => {
  expect(states(FRESH)).toEqual(["running", "waiting", "waiting", "waiting"]);
  expect(states(HERE)).toEqual(["done", "running", "running", "running"]);
  const all = {
    ...HERE,
    awake: true,
    opencode: opencode("ready"),
    memory: { done: true, error: null },
  };
  expect(states(all)).toEqual(["done", "done", "done", "done"]);
});

test("what waits says nothing yet", () => {
  const words = phasesOf(FRESH).map((one) => one.text);
  expect(words).toEqual([null, null, null, null]);
});

test("without an account nothing else has begun", () => {
  const known = { ...FRESH, boot: { error: "The instance cannot be reached." } };
  expect(states(known)).toEqual(["failed", "waiting", "waiting", "waiting"]);
  expect(phase("account", known).text).toBe("The instance cannot be reached.");
});

test("memory that cannot be read is told, and hinders nothing else", () => {
  const known = { ...HERE, awake: true, memory: { done: false, error: "Try again later." } };
  expect(states(known)).toEqual(["done", "done", "running", "failed"]);
  expect(phase("memory", known).text).toBe("Try again later.");
});

test.each(["failed", "backoff", "unhealthy"])("OpenCode that is %s tells why", (state) => {
  const known = { ...HERE, opencode: opencode(state, "no space left on device") };
  expect(phase("opencode", known)).toMatchObject({
    state: "failed",
    text: "no space left on device",
  });
});

test("OpenCode that failed without a reason does not claim to start", () => {
  const known = { ...HERE, opencode: opencode("failed") };
  expect(phase("opencode", known).text).toBe("It did not start.");
});

test.each(["absent", "starting", "stopped"])("OpenCode that is %s is on its way", (state) => {
  const known = { ...HERE, opencode: opencode(state, "fetching OpenCode") };
  expect(phase("opencode", known)).toMatchObject({ state: "running", text: "fetching OpenCode" });
});

test.each(["ready", "paused"])("OpenCode that is %s is there", (state) => {
  expect(phase("opencode", { ...HERE, opencode: opencode(state) }).state).toBe("done");
});

test("the log is its last four lines with words, oldest first", () => {
  const news = ["one", "two", null, "three", "four", null, "five"];
  const known = { ...HERE, opencode: opencode("starting", null, news) };
  expect(phase("opencode", known).lines).toEqual(["two", "three", "four", "five"]);
});
