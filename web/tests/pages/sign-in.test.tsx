// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/app/sign-in#link=secret"}
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SignInPage } from "@/pages/sign-in";

const root = createRootRoute({ component: Outlet });
const at = (path: string, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component });
const routeTree = root.addChildren([
  at("/app/sign-in", SignInPage),
  at("/app", () => "The chat"),
  at("/app/welcome", () => "Welcome"),
]);

const sent: string[] = [];
let away = true;

const json = (status: number, body: object) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

/** A link that works once, and an instance that is away for a moment just after it. */
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "POST") sent.push(pathname);
  if (pathname.endsWith("/config")) return json(200, { sign_in: ["link"], version: "1" });
  if (pathname.endsWith("/exchange")) return json(200, {});
  if (away) return json(503, { code: "store_unavailable", detail: "Away.", request_id: "req_1" });
  return json(200, { agent: { seq: 1 } });
}

beforeEach(() => vi.stubGlobal("fetch", answer));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("who was signed in by a link while the instance was away goes in with another try", async () => {
  const history = createMemoryHistory({ initialEntries: ["/app/sign-in"] });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={createRouter({ routeTree, history }) as never} />
    </QueryClientProvider>,
  );
  const again = await screen.findByRole("button", { name: "Try again" });
  away = false;
  fireEvent.click(again);
  expect(await screen.findByText("The chat")).toBeTruthy();
  expect(sent.filter((path) => path.endsWith("/exchange"))).toHaveLength(1);
});
