// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { WelcomePage } from "@/pages/welcome";
import { stream } from "@/stream";

const AGENT = {
  user_id: "u_ann",
  state: "awake",
  seq: 0,
  unfinished: [],
  stack: {
    opencode: { state: "absent", desired: "ready", generation: 0, reason: null },
  },
};
const EMPTY = { data: [], next_cursor: null };

/** What the instance answers now, by method and path; what is not here is an empty list. */
type Answers = Record<string, { status: number; body: unknown }>;

const well = (body: unknown) => ({ status: 200, body });
const UP: Answers = {
  "POST /users/bootstrap": well({ user: { name: "Ann" }, agent: AGENT, stack: AGENT.stack }),
  "POST /actors/provision": well({ agent: AGENT, stack: AGENT.stack }),
  "GET /actors/me": well(AGENT),
};
const BUSY = { status: 500, body: { code: "internal", detail: "It cannot be had now." } };

let asked: string[] = [];
let events: ReadableStreamDefaultController<Uint8Array> | undefined;

/** The instance, and its stream of events. */
function serve(answers: Answers): void {
  asked = [];
  vi.stubGlobal("fetch", async (to: Request | string) => {
    const [method, url] = typeof to === "string" ? ["GET", to] : [to.method, to.url];
    const path = `${method} ${new URL(url, location.href).pathname.replace("/api/v1", "")}`;
    if (path === "GET /actors/me/events") {
      const start = (out: typeof events) => {
        events = out;
      };
      return new Response(new ReadableStream({ start }));
    }
    asked.push(path);
    const { status, body } = answers[path] ?? well(EMPTY);
    return Response.json(body, { status });
  });
}

function tell(seq: number, type: string, data: object): void {
  const event = { seq, type, time: new Date().toISOString(), data: { role: "opencode", ...data } };
  const text = `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  events?.enqueue(new TextEncoder().encode(text));
}

function open(): void {
  const router = createRouter({
    routeTree: createRootRoute({ component: WelcomePage }),
    history: createMemoryHistory(),
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
}

const states = () =>
  screen.getAllByRole("listitem").map((one) => one.getAttribute("data-state") ?? "");
const opencode = () => screen.getByTestId("phase-opencode");

afterEach(() => {
  cleanup();
  stream.stop();
  vi.unstubAllGlobals();
});

test("a failure is told, and trying again goes on from there", async () => {
  const answers = { ...UP, "POST /users/bootstrap": BUSY };
  serve(answers);
  open();
  const again = await screen.findByRole("button", { name: "Try again" });
  expect(screen.getByTestId("phase-account").textContent).toContain("It cannot be had now.");
  expect(states()).toEqual(["failed", "waiting", "waiting", "waiting"]);
  expect(asked).not.toContain("POST /actors/provision");
  Object.assign(answers, UP);
  fireEvent.click(again);
  await waitFor(() => expect(states()).toEqual(["done", "done", "running", "done"]));
  expect(asked.filter((one) => one.startsWith("POST"))).toEqual([
    "POST /users/bootstrap",
    "POST /users/bootstrap",
    "POST /actors/provision",
  ]);
});

test("OpenCode's log is shown until it is there; a failed start is asked for once more", async () => {
  serve(UP);
  stream.start();
  open();
  await waitFor(() => expect(states()).toEqual(["done", "done", "running", "done"]));
  await waitFor(() => expect(events).toBeDefined());
  tell(1, "service.starting", { reason: "fetching OpenCode" });
  tell(2, "service.failed", { reason: "no space left on device" });
  await waitFor(() => expect(opencode().dataset.state).toBe("failed"));
  expect(within(opencode()).getByText(/^fetching OpenCode/).tagName).toBe("PRE");
  const provisions = () => asked.filter((one) => one === "POST /actors/provision").length;
  expect(provisions()).toBe(1);
  fireEvent.click(within(opencode()).getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(provisions()).toBe(2));
  tell(3, "service.starting", {});
  tell(4, "service.ready", {});
  await waitFor(() => expect(states()).toEqual(["done", "done", "done", "done"]));
  expect(opencode().querySelector("pre")).toBeNull();
  expect(screen.getByRole("heading", { name: "Everything is ready" })).toBeDefined();
});
