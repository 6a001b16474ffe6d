import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backoff } from "@/stream/backoff";
import { ASLEEP, Connection, GLANCE, SILENCE } from "@/stream/connection";
import { Journal, sse } from "./journal";
import { Server } from "./server";

let server: Server;
let connection: Connection;
let journal: Journal;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  journal = new Journal();
  connection = new Connection({
    url: "/events",
    fetch: server.fetch,
    onFrames: (frames) => server.frames.push(...frames),
    onPhase: (phase) => server.phases.push(phase),
    online: () => server.online,
    random: () => 1,
  });
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const events = (count: number) => Array.from({ length: count }, () => journal.user("x")).map(sse);

test("it goes on behind the last event, each once and in order", async () => {
  const [one, two, three, four] = events(4) as [string, string, string, string];
  connection.start(0);
  await pass(0);
  expect(server.last.lastEventId).toBe("0");
  server.last.send(one + two.slice(0, 30));
  await pass(0);
  server.last.send(two.slice(30));
  await pass(0);
  server.last.end();
  await pass(0.6);
  expect(server.last.lastEventId).toBe("2");
  server.last.send(two + three + four);
  await pass(0);
  expect(server.seqs).toEqual([1, 2, 3, 4]);
  expect(server.phases).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("a gap is no event: it connects again from the last number", async () => {
  const [one, two, three] = events(3) as [string, string, string];
  connection.start(0);
  await pass(0);
  server.last.send(one + three);
  await pass(0.6);
  expect(server.seqs).toEqual([1]);
  expect(server.last.lastEventId).toBe("1");
  server.last.send(two + three);
  await pass(0);
  expect(server.seqs).toEqual([1, 2, 3]);
});

test("a gap that stays is a reset of our own", async () => {
  const [, , three] = events(3) as [string, string, string];
  connection.start(0);
  for (let tried = 0; tried < 3; tried++) {
    await pass(20);
    server.last.send(three);
    await pass(0);
  }
  expect(server.frames[0]).toEqual({ kind: "reset", seq: 2 });
  expect(server.seqs).toEqual([3]);
});

test("a reset moves the number", async () => {
  connection.start(90);
  await pass(0);
  server.last.send('event: reset\ndata: {"seq":40}\n\n');
  await pass(0);
  expect(server.frames).toEqual([{ kind: "reset", seq: 40 }]);
  server.last.end();
  await pass(0.6);
  expect(server.last.lastEventId).toBe("40");
});

test("silence ends a connection, a ping keeps it", async () => {
  connection.start(0);
  await pass(0);
  await pass(SILENCE - 5);
  server.last.send("event: ping\ndata: {}\n\n");
  await pass(SILENCE - 5);
  expect(server.answers).toHaveLength(1);
  await pass(6);
  expect(server.answers).toHaveLength(2);
});

test("tries come later and later, at once when somebody is back", async () => {
  server.next = "unreachable";
  connection.start(0);
  await pass(120);
  expect(server.phases.filter((phase) => phase === "reconnecting").length).toBeLessThan(15);
  server.next = { status: 200 };
  connection.wake();
  await pass(0);
  expect(server.phases.at(-1)).toBe("live");
});

test("without a network it says so", async () => {
  server.next = "unreachable";
  server.online = false;
  connection.start(0);
  await pass(1);
  expect(server.phases.at(-1)).toBe("offline");
});

test("a full house is asked again when it wishes", async () => {
  server.next = { status: 503, headers: { "Retry-After": "7" } };
  connection.start(0);
  await pass(6.9);
  expect(server.answers).toHaveLength(1);
  await pass(0.2);
  expect(server.answers).toHaveLength(2);
});

test("while nobody looks there is no connection, and then it goes on behind the last event", async () => {
  const [one, two, three] = events(3) as [string, string, string];
  connection.start(0);
  await pass(0);
  server.last.send(one);
  await pass(0);
  connection.doze();
  await pass(ASLEEP - 1);
  expect(server.answers).toHaveLength(1);
  expect(server.last.aborted).toBe(true);
  connection.look();
  await pass(0);
  expect(server.last.lastEventId).toBe("1");
  server.last.send(one + two + three);
  await pass(SILENCE - 1);
  expect(server.last.aborted).toBe(false);
  expect(server.seqs).toEqual([1, 2, 3]);
  expect(server.phases).toEqual(["connecting", "live", "connecting", "live"]);
});

test("a page that nobody sees has a glance at times", async () => {
  const [one, two] = events(2) as [string, string];
  connection.start(0);
  await pass(0);
  connection.doze();
  await pass(ASLEEP + 0.1);
  server.last.send(one);
  await pass(GLANCE);
  expect(server.last.aborted).toBe(true);
  await pass(ASLEEP);
  expect(server.last.lastEventId).toBe("1");
  server.last.send(`${two}event: ping\ndata: {}\n\n`); // that is all there is
  await pass(0);
  expect(server.last.aborted).toBe(true);
  expect(server.seqs).toEqual([1, 2]);
  expect(server.phases).not.toContain("reconnecting");
});

test("a glance that somebody comes back to stays", async () => {
  connection.start(0);
  await pass(0);
  connection.doze();
  await pass(ASLEEP + 0.1);
  connection.look();
  await pass(GLANCE * 2);
  expect(server.answers).toHaveLength(2);
  expect(server.last.aborted).toBe(false);
  expect(server.phases.at(-1)).toBe("live");
});

test("signed out is the end of it", async () => {
  server.next = { status: 401 };
  connection.start(0);
  await pass(60);
  expect(server.answers).toHaveLength(1);
  expect(server.phases).toEqual(["connecting", "signed-out"]);
});

test("backoff is between 0.5 and 15 s", () => {
  expect(backoff(0, () => 0)).toBe(0.5);
  expect(backoff(3, () => 0)).toBe(2);
  expect(backoff(3, () => 1)).toBe(4);
  expect(backoff(99, () => 1)).toBe(15);
});
