/**
 * The API, typed: `await ask(readTurn({ path: { turn_id } }))`. Throws Problem.
 * Functions and types are made from openapi.json by `npm run api`.
 */
import { client } from "./generated/client.gen";
import { politeFetch, retryAt } from "./http";
import { Problem } from "./problem";

export * from "./generated";
export { newKey } from "./keys";
export { asProblem, Problem } from "./problem";

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

client.setConfig({
  baseUrl: "",
  credentials: "same-origin",
  fetch: politeFetch((request) => fetch(request), pause) as typeof fetch,
});

const listeners = new Set<() => void>();

/** Calls `then` whenever an answer says that nobody is signed in here. Returns how to stop. */
export function onSignedOut(then: () => void): () => void {
  listeners.add(then);
  return () => listeners.delete(then);
}

export function tellSignedOut(): void {
  for (const then of listeners) then();
}

interface Result<T> {
  data?: T;
  error?: unknown;
  response?: Response;
}

/** What the instance answers. Throws Problem; a 401 leads to the sign-in page. */
export async function ask<T>(request: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await request.catch((thrown: unknown) => {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    return { data: undefined, error: thrown, response: undefined };
  });
  if (response?.ok) return data as T;
  const status = response?.status ?? 0;
  if (status === 401) tellSignedOut();
  const requestId = response?.headers.get("X-Request-Id") ?? null;
  throw Problem.of(status, error, requestId, response ? retryAt(response) : null);
}

interface PageOf<T> {
  data: T[];
  next_cursor?: string | null;
}

/** All pages of a list, at most `most` of them. */
export async function askAll<T>(
  page: (cursor: string | undefined) => Promise<Result<PageOf<T>>>,
  most = 50,
): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  for (let read = 0; read < most; read++) {
    const part = await ask(page(cursor));
    found.push(...part.data);
    if (!part.next_cursor) break;
    cursor = part.next_cursor;
  }
  return found;
}
