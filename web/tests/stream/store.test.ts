// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/app"}
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tellSignedOut } from "@/api";
import { Stream } from "@/stream/store";
import { Journal, MASTER, sse } from "./journal";
import { Server } from "./server";

let server: Server;
let journal: Journal;
let stream: Stream;
/** Pages of messages that were asked for, to be answered when the test wishes. */
let asked: ((answer: Response) => void)[];

const json = (body: object) =>
  new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });

/** The instance: an empty snapshot at the journal's number, pages that wait, and the stream. */
function answer(request: Request | string, init?: RequestInit): Promise<Response> {
  if (typeof request === "string") return server.fetch(request, init ?? {});
  const { pathname } = new URL(request.url);
  if (pathname.endsWith("/messages")) return new Promise((done) => asked.push(done));
  if (!pathname.endsWith("/actors/me")) return Promise.resolve(json({ data: [] }));
  return Promise.resolve(json({ seq: journal.seq, unfinished: [], stack: {} }));
}

const page = () =>
  json({ data: [], turns: [], decisions: [], seq: journal.seq, next_cursor: null });
const settle = () => new Promise((done) => setTimeout(done, 20));
const joined = () => stream.getView().conversations[MASTER]?.joined;
const told = () => journal.frames.flatMap((one) => (one.kind === "event" ? [sse(one.event)] : []));

async function begin(): Promise<void> {
  stream.start();
  await settle();
  server.last.send(told().join(""));
  await settle();
}

beforeEach(() => {
  server = new Server();
  journal = new Journal();
  asked = [];
  vi.stubGlobal("fetch", answer);
  stream = new Stream({ soon: (then) => then() });
  journal.user("one");
  journal.user("two");
});

afterEach(() => {
  stream.stop();
  vi.unstubAllGlobals();
});

test("who signs in again on a page that stayed begins anew", async () => {
  await begin();
  const { life } = stream.getView();
  const watched = vi.spyOn(window, "removeEventListener");
  tellSignedOut();
  expect(stream.getView()).toMatchObject({ ready: false, events: [], life: life + 1 });
  expect(watched).toHaveBeenCalledWith("online", expect.anything());
  expect(server.last.aborted).toBe(true);
  journal.user("three");
  await begin();
  const { events, conversations } = stream.getView();
  expect(events.map((event) => event.seq)).toEqual([1, 2, 3]);
  expect(conversations[MASTER]?.messages).toHaveLength(3);
});

test("a thread that is read during a reset is read again", async () => {
  await begin();
  const first = stream.loadThread(MASTER);
  await settle();
  server.last.send('event: reset\ndata: {"seq":1}\n\n');
  await settle();
  const second = stream.loadThread(MASTER);
  await settle();
  expect(asked).toHaveLength(2);
  asked[0]?.(page());
  await first;
  expect(joined()).toBeUndefined();
  const third = stream.loadThread(MASTER); // the late answer to the first took nothing from it
  await settle();
  expect(asked).toHaveLength(2);
  asked[1]?.(page());
  await Promise.all([second, third]);
  expect(joined()).toBe(2);
});
