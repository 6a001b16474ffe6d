import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const made = mkdtempSync(join(tmpdir(), "growqr-client-"));
afterAll(() => rmSync(made, { recursive: true }));

function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
  return Object.fromEntries(
    files.sort().map((file) => [file.slice(folder.length), readFileSync(file, "utf8")]),
  );
}

test("the client is the one that openapi.json makes", () => {
  execFileSync("node_modules/.bin/openapi-ts", ["--output", made], { stdio: "pipe" });
  const [want, have] = [filesOf(made), filesOf("src/api/generated")];
  expect(Object.keys(have), "run: npm run api").toEqual(Object.keys(want));
  const other = Object.keys(want).filter((file) => want[file] !== have[file]);
  expect(other, "run: npm run api").toEqual([]);
}, 30_000);
