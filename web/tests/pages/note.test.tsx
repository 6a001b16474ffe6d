// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/app/memory"}
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Editor } from "@/pages/memory/Editor";
import { File } from "@/pages/memory/File";
import { MemoryServer } from "./memoryServer";

let server: MemoryServer;
let queries: QueryClient;

beforeEach(() => {
  sessionStorage.clear();
  server = new MemoryServer();
  queries = new QueryClient();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const within = (what: React.ReactNode) => (
  <QueryClientProvider client={queries}>{what}</QueryClientProvider>
);
const open = (path: string | null, done = vi.fn()) => {
  const page = path ? (
    <File path={path} editing onEdit={done} />
  ) : (
    <Editor path={null} onDone={done} />
  );
  return { done, ...render(within(page)) };
};
const box = () => screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Content" });
const type = async (text: string) => fireEvent.change(await box(), { target: { value: text } });
const name = (text: string) =>
  fireEvent.change(screen.getByRole("textbox", { name: "Path" }), { target: { value: text } });
const press = async (label: string) =>
  fireEvent.click(await screen.findByRole("button", { name: label }));
const contentOf = (path: string) => server.files.get(path)?.content;

test("text outlives what takes its place on the page, and a reload, until it is saved", async () => {
  server.write("a.md", "one");
  const first = open("a.md");
  await type("one, and mine");
  first.unmount();
  queries = new QueryClient();
  const { done } = open("a.md");
  expect((await box()).value).toBe("one, and mine");
  await press("Save");
  await vi.waitFor(() => expect(done).toHaveBeenCalled());
  expect(contentOf("a.md")).toBe("one, and mine");
  expect(sessionStorage.length).toBe(0);
});

test("a new note keeps its name too; what is cancelled is gone", async () => {
  const first = open(null);
  name("notes/tea.md");
  await type("green");
  first.unmount();
  open(null);
  expect((await box()).value).toBe("green");
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Path" }).value).toBe(
    "notes/tea.md",
  );
  await press("Cancel");
  expect(sessionStorage.length).toBe(0);
});

test("a new note replaces a file only on purpose", async () => {
  server.write("a.md", "theirs");
  const { done } = open(null);
  name("a.md");
  await type("mine");
  await press("Save");
  expect(await screen.findByText(/There is a file of this name/)).toBeTruthy();
  expect(contentOf("a.md")).toBe("theirs");
  await press("Replace it");
  await press("Save");
  await vi.waitFor(() => expect(done).toHaveBeenCalledWith("a.md"));
  expect(contentOf("a.md")).toBe("mine");
});

test("another name takes the question away, and replaces nothing either", async () => {
  for (const path of ["a.md", "b.md"]) server.write(path, "theirs");
  open(null);
  name("a.md");
  await type("mine");
  await press("Save");
  await press("Replace it");
  name("b.md");
  await press("Save");
  expect(await screen.findByText(/There is a file of this name/)).toBeTruthy();
  expect([contentOf("a.md"), contentOf("b.md")]).toEqual(["theirs", "theirs"]);
});

test("what changed while one wrote is shown, and overwritten on purpose", async () => {
  server.write("a.md", "one");
  const { done } = open("a.md");
  await type("one, and mine");
  server.write("a.md", "one, and theirs");
  await press("Save");
  expect(await screen.findByText(/changed while you wrote/)).toBeTruthy();
  expect(contentOf("a.md")).toBe("one, and theirs");
  await press("Keep my text");
  await press("Save");
  await vi.waitFor(() => expect(done).toHaveBeenCalled());
  expect(contentOf("a.md")).toBe("one, and mine");
});

test("what was removed while one wrote comes back only on purpose", async () => {
  server.write("a.md", "one");
  open("a.md");
  await type("one, and mine");
  server.files.delete("a.md");
  await press("Save");
  expect(await screen.findByText(/removed while you wrote/)).toBeTruthy();
  expect(contentOf("a.md")).toBeUndefined();
  await press("Keep my text");
  await press("Save");
  await vi.waitFor(() => expect(contentOf("a.md")).toBe("one, and mine"));
});
