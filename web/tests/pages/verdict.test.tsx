// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/app"}
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DecisionCard } from "@/pages/decisions/DecisionCard";
import type { Decision } from "@/stream";

const sent: unknown[] = [];
const asked: Decision = {
  ...{ id: "dec_1", kind: "approval", threadId: "thr_1", turnId: "trn_1", stepId: null },
  ...{ asked: { name: "deploy" }, options: ["approve", "deny"], state: "open", answer: null },
  ...{ answeredBy: null, createdAt: "2026-11-20T09:00:00Z", expiresAt: null, answeredAt: null },
  ...{ seq: 1, at: 1 },
};

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push(await request.json());
    return new Response("{}", { headers: { "Content-Type": "application/json" } });
  });
  render(<DecisionCard decision={asked} place="thread" />);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

test("a verdict needs no note", async () => {
  press("Approve");
  await vi.waitFor(() => expect(sent).toEqual([{ decision: "approve", note: null }]));
});

test("a note goes with the verdict", async () => {
  press("Add a note");
  const note = screen.getByRole("textbox", { name: "Note to the agent" });
  fireEvent.change(note, { target: { value: " ask Ann first " } });
  press("Deny");
  await vi.waitFor(() => expect(sent).toEqual([{ decision: "deny", note: "ask Ann first" }]));
});
