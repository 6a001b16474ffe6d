import { readFileSync } from "node:fs";
import { defineConfig } from "@hey-api/openapi-ts";

interface Operation {
  operationId: string;
}

const spec = JSON.parse(readFileSync("../openapi.json", "utf8"));

// FastAPI ends every id with path and method; the functions are named without them.
for (const [path, methods] of Object.entries<Record<string, Operation>>(spec.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tail = `${path.replace(/\W/g, "_")}_${method}`;
    operation.operationId = operation.operationId.replace(tail, "").replace(/_+$/, "");
  }
}

export default defineConfig({
  input: spec,
  output: { path: "src/api/generated", clean: true },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
});
