/** Memory at the wire: files with versions, and writes under conditions, as the instance does it. */
import { vi } from "vitest";

export class MemoryServer {
  readonly files = new Map<string, { content: string; version: string }>();
  private made = 0;

  constructor() {
    vi.stubGlobal("fetch", (request: Request) => this.answer(request));
  }

  write(path: string, content: string): void {
    this.made += 1;
    this.files.set(path, { content, version: `mem_${this.made}` });
  }

  private async answer(request: Request): Promise<Response> {
    const path = decodeURIComponent(new URL(request.url).pathname.replace("/api/v1/memory/", ""));
    if (request.method === "PUT") {
      const file = this.files.get(path);
      const [wanted, none] = ["if-match", "if-none-match"].map((name) => request.headers.get(name));
      const late = wanted !== null && wanted !== `"${file?.version}"`;
      if (late || (none && file)) return problem(412, "precondition_failed");
      this.write(path, (await request.json()).content);
    }
    const file = this.files.get(path);
    return file
      ? json(200, { path, commit: null, pending: true, ...file })
      : problem(404, "not_found");
  }
}

function problem(status: number, code: string): Response {
  return json(status, { code, detail: `It is ${code}.`, request_id: "req_1" });
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" },
  });
}
