import { expect, test } from "vitest";
import type { MemberView } from "@/api";
import { auditLine } from "@/pages/admin/cli";
import { found } from "@/pages/admin/found";
import { ADMIN, isAt, PLACES } from "@/shell/pages";

const user = (name: string, more: Partial<MemberView> = {}): MemberView => ({
  id: `u_${name}`,
  name,
  issuer: "growqr:1",
  email: `${name}@growqr.example`,
  role: "member",
  created_at: "2026-01-01T00:00:00Z",
  suspended_at: null,
  day_tokens: null,
  day_usd: null,
  ...more,
});

test("users are found by every word, whatever it is of", () => {
  const ann = user("Ann", { role: "admin", email: null });
  const ben = user("ben", { suspended_at: "2026-02-01T00:00:00Z" });
  const all = [ann, ben, user("anna")];
  expect(found(all, "")).toEqual(all);
  expect(found(all, "ANN").map(({ name }) => name)).toEqual(["Ann", "anna"]);
  expect(found(all, "admin ann")).toEqual([ann]);
  expect(found(all, "suspended")).toEqual([ben]);
  expect(found(all, "u_ben @growqr")).toEqual([ben]);
  expect(found(all, "null")).toEqual([]);
});

test("what was typed is one word of the command", () => {
  expect(auditLine("", "")).toBe("growqr audit");
  expect(auditLine("u_owner", "sign_in.")).toBe("growqr audit --who u_owner --action sign_in.");
  expect(auditLine("'; rm -rf ~", "")).toBe("growqr audit --who ''\\''; rm -rf ~'");
  expect(auditLine("$(id)", "--json")).toBe("growqr audit --who '$(id)' --action '--json'");
});

test("every path is at one place at most, and keys lead to one", () => {
  const places = [...PLACES, ADMIN];
  const at = (path: string) => places.filter((one) => isAt(one, path)).map((one) => one.label);
  expect(at("/app")).toEqual(["Chat"]);
  expect(at("/app/chat/thr_1")).toEqual(["Chat"]);
  expect(at("/app/channels/coding")).toEqual(["Sub-agents"]);
  expect(at("/app/memory/notes/tea.md")).toEqual(["Memory"]);
  expect(at("/app/admin")).toEqual(["Admin"]);
  expect(at("/app/welcome")).toEqual([]);
  expect(new Set(places.map(({ key }) => key)).size).toBe(places.length);
});
