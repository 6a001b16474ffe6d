import { afterEach, expect, test, vi } from "vitest";
import { ask, onSignedOut, type Problem, readMe, sendMessage } from "@/api";
import { politeFetch } from "@/api/http";

const BASE = "http://growqr.test";
const noPause = async () => {};

afterEach(() => vi.unstubAllGlobals());

/** Answers in their order, the last one for ever; what was asked is kept. */
function server(...answers: Response[]) {
  const asked: Request[] = [];
  const inner = async (request: Request) => {
    asked.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return (answer as Response).clone();
  };
  return { asked, inner };
}

const away = () => new Response("{}", { status: 503, headers: { "Retry-After": "1" } });

test("every POST has a key, and keeps one of its own", async () => {
  const { asked, inner } = server(new Response("{}"));
  const polite = politeFetch(inner, noPause);
  const post = (headers = {}) => polite(new Request(BASE, { method: "POST", headers }));
  await post();
  await post();
  await post({ "Idempotency-Key": "mine" });
  const keys = asked.map((request) => request.headers.get("Idempotency-Key"));
  expect(keys[2]).toBe("mine");
  expect(new Set(keys).size).toBe(3);
  expect(keys).not.toContain(null);
});

test("a GET is asked again as the instance wishes, a POST is not", async () => {
  const pauses: number[] = [];
  const read = server(away(), new Response("{}"));
  const polite = politeFetch(read.inner, async (ms) => void pauses.push(ms));
  expect((await polite(new Request(BASE))).status).toBe(200);
  expect(pauses).toEqual([1000]);
  const write = server(away());
  const answer = await politeFetch(write.inner, noPause)(new Request(BASE, { method: "POST" }));
  expect([answer.status, write.asked.length]).toEqual([503, 1]);
  const dead = server(away());
  await politeFetch(dead.inner, noPause)(new Request(BASE));
  expect(dead.asked).toHaveLength(3);
});

function stub(answer: () => Response) {
  vi.stubGlobal("fetch", async () => answer());
}

const problem = (status: number, code: string) => () =>
  Response.json(
    { type: "x", title: "x", status, code, detail: "why", request_id: "req-1" },
    { status, headers: { "Content-Type": "application/problem+json" } },
  );

const body = { path: { user: "me" }, body: { text: "x" }, baseUrl: BASE };

test("a problem is one typed error", async () => {
  stub(problem(409, "conflict"));
  const error = (await ask(sendMessage(body)).catch((e) => e)) as Problem;
  expect(error).toMatchObject({ status: 409, code: "conflict", detail: "why", requestId: "req-1" });
});

test("what is no problem document and no answer at all are problems too", async () => {
  stub(() => new Response("<html>bad gateway", { status: 502, headers: { "X-Request-Id": "r9" } }));
  const gateway = await ask(sendMessage(body)).catch((e) => e);
  expect(gateway).toMatchObject({ status: 502, code: "http", requestId: "r9" });
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  expect(await ask(sendMessage(body)).catch((e) => e)).toMatchObject({
    status: 0,
    code: "offline",
  });
});

test("when to try again, in seconds or as a date", async () => {
  const asked = Date.now();
  const late = (after: string) => () =>
    new Response("{}", { status: 429, headers: { "Retry-After": after } });
  stub(late("60"));
  const soon = (await ask(sendMessage(body)).catch((e) => e)) as Problem;
  expect(soon.retryAt).toBeGreaterThanOrEqual(asked + 60_000);
  stub(late("Fri, 27 Nov 2026 03:00:00 GMT"));
  const dated = await ask(sendMessage(body)).catch((e) => e);
  expect(dated).toMatchObject({ retryAt: Date.UTC(2026, 10, 27, 3) });
  stub(late("soon"));
  expect(await ask(sendMessage(body)).catch((e) => e)).toMatchObject({ retryAt: null });
});

test("a 401 is told to whoever listens", async () => {
  stub(problem(401, "unauthorized"));
  let told = 0;
  const stop = onSignedOut(() => {
    told += 1;
  });
  await ask(readMe({ baseUrl: BASE })).catch(() => {});
  stop();
  expect(told).toBe(1);
});
