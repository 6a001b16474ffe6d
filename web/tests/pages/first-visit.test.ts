import { expect, test } from "vitest";
import type { AgentView } from "@/api";
import { isNew } from "@/shell/useFirstVisit";

const agent = (seq: number, desired: string) =>
  ({ seq, stack: { opencode: { desired }, gitea: { desired: "stopped" } } }) as AgentView;

test.each([
  ["nothing has happened", 0, "stopped", true],
  ["everything was asked for, and nothing has happened yet", 0, "ready", false],
  ["something was said elsewhere", 1, "stopped", false],
  ["all of it", 40, "ready", false],
])("new is whoever has left no trace: %s", (_, seq, desired, is) => {
  expect(isNew(agent(seq, desired))).toBe(is);
});
