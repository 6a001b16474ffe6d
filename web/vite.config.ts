import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { boundedFirstLoad } from "./firstLoad.ts";

const api = process.env.GROWQR_URL ?? "http://127.0.0.1:4000";

// What the instance sends with the pages too: `vite preview` shows what breaks it.
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
].join("; ");

const ARCHITECTURE = fileURLToPath(new URL("../docs/architecture.html", import.meta.url));

/** docs/architecture.html as /assets/architecture.html: "How it works" leads there. */
const architecture: Plugin = {
  name: "architecture",
  configureServer(server) {
    server.middlewares.use("/assets/architecture.html", (_, answer) => {
      answer.setHeader("Content-Type", "text/html; charset=utf-8");
      answer.end(readFileSync(ARCHITECTURE));
    });
  },
  generateBundle() {
    const source = readFileSync(ARCHITECTURE);
    this.emitFile({ type: "asset", fileName: "assets/architecture.html", source });
  },
};

export default defineConfig({
  base: "/",
  plugins: [react(), tailwindcss(), architecture, boundedFirstLoad(300)],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../growqr/_web",
    emptyOutDir: true,
    assetsDir: "assets",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the CSP allows data: for pictures alone
    chunkSizeWarningLimit: 600, // that of markdown, which is loaded when there is some
    // Heavy parts (markdown, terminal, diff) are imported by `lazy`: each is a chunk of its own.
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ["/api", "/auth", "/version"].map((path) => [path, { target: api, ws: true }]),
    ),
  },
  preview: { headers: { "Content-Security-Policy": POLICY } },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"] },
});
