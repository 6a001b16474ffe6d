// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Composer } from "@/pages/chat/Composer";
import { draftOf, keepDraft, readDraft } from "@/shell/drafts";

beforeEach(() => sessionStorage.clear());
afterEach(cleanup);

const at = (place: string) => <Composer place={place} send={async () => {}} />;
const box = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });

test("what is typed before the place is known stays, with the focus, and is kept there", () => {
  const { rerender } = render(at("thr_a"));
  const typed = box();
  typed.focus();
  fireEvent.change(typed, { target: { value: "hel" } });
  rerender(at("master"));
  expect(box()).toBe(typed);
  expect(box().value).toBe("hel");
  expect(document.activeElement).toBe(typed);
  expect(readDraft("master").text).toBe("hel");
  expect(readDraft("thr_a").text).toBe("");
});

test("what was kept there is not lost either", () => {
  keepDraft("master", draftOf("before"));
  const { rerender } = render(at("thr_a"));
  rerender(at("master"));
  expect(box().value).toBe("before");
  cleanup();
  const again = render(at("thr_a"));
  fireEvent.change(box(), { target: { value: "then" } });
  again.rerender(at("master"));
  expect(box().value).toBe("before\nthen");
});
