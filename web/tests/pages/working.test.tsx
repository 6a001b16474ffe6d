// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/app"}
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Composer } from "@/pages/chat/Composer";
import { Working } from "@/pages/chat/Working";
import { Answer } from "@/pages/decisions/Answer";
import { emptyView } from "@/stream";
import { foldAll } from "@/stream/fold";
import { Journal, MASTER } from "../stream/journal";

const asked = vi.fn(async () => new Response("{}"));

beforeEach(() => {
  vi.stubGlobal("fetch", asked);
  asked.mockClear();
  const journal = new Journal();
  journal.user("go");
  journal.started();
  const conversation = foldAll(emptyView(), journal.frames).conversations[MASTER];
  if (!conversation) throw new Error("no conversation");
  render(
    <>
      <input aria-label="Search" />
      <select aria-label="Kind" />
      <textarea aria-label="Note" />
      <Answer options={[]} busy={false} send={() => {}} />
      <Working conversation={conversation} />
      <Composer place="x" send={async () => {}} />
    </>,
  );
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const press = (label: string) =>
  fireEvent.keyDown(screen.getByLabelText(label), { key: "Escape", bubbles: true });

test.each(["Search", "Kind", "Note", "Answer"])(
  "Esc in the field %s stops no turn",
  async (label) => {
    press(label);
    await new Promise((done) => setTimeout(done, 20)); // a request would be on its way
    expect(asked).not.toHaveBeenCalled();
  },
);

test("Esc where one writes to the agent stops it", async () => {
  press("Message");
  await vi.waitFor(() => expect(asked).toHaveBeenCalledOnce());
});

test("Esc beside all fields stops the turn", async () => {
  fireEvent.keyDown(document.body, { key: "Escape" });
  await vi.waitFor(() => expect(asked).toHaveBeenCalledOnce());
});
