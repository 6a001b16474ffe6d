// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { ConfirmDialog, confirm, Dialog } from "@/ui";

afterEach(cleanup);

/** A dialog that leads to another one, as that of a new key does, and a question. */
function Page() {
  const [open, setOpen] = useState("");
  return (
    <>
      <button type="button" onClick={() => setOpen("first")}>
        Begin
      </button>
      <button type="button" onClick={() => confirm({ title: "Sure?", text: "", yes: "Yes" })}>
        Remove
      </button>
      <Dialog open={open === "first"} onOpenChange={() => setOpen("")} title="First">
        <input aria-label="Name" autoFocus />
        <button type="button" onClick={() => setOpen("second")}>
          Make it
        </button>
      </Dialog>
      <Dialog open={open === "second"} onOpenChange={() => setOpen("")} title="Second">
        <button type="button">Copy</button>
      </Dialog>
      <ConfirmDialog />
    </>
  );
}

const button = (name: string) => screen.getByRole("button", { name });
const press = async (name: string) => {
  button(name).focus();
  fireEvent.click(button(name));
  await act(async () => {});
};
const focused = (name: string) => waitFor(() => expect(document.activeElement).toBe(button(name)));

test("after a dialog one is where one was", async () => {
  render(<Page />);
  await press("Begin");
  await press("Close");
  await focused("Begin");
});

test("after a dialog that came of another one, too", async () => {
  render(<Page />);
  await press("Begin");
  await press("Make it");
  await press("Close");
  await focused("Begin");
});

test.each(["Yes", "Cancel"])("after a question that was answered with %s", async (answer) => {
  render(<Page />);
  await press("Remove");
  await press(answer);
  await focused("Remove");
});
