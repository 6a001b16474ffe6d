import { readFileSync } from "node:fs";
import { extname } from "node:path";
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

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Served as they are, under names that stay: "How it works" and /docs lead to them.
const KEPT: Record<string, string> = {
  "assets/architecture.html": here("../docs/architecture.html"),
  "assets/swagger-ui.css": here("node_modules/swagger-ui-dist/swagger-ui.css"),
  "assets/swagger-ui.js": here("node_modules/swagger-ui-dist/swagger-ui-bundle.js"),
};

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
};

const kept: Plugin = {
  name: "kept",
  configureServer(server) {
    for (const [fileName, path] of Object.entries(KEPT)) {
      server.middlewares.use(`/${fileName}`, (_, answer) => {
        answer.setHeader("Content-Type", `${TYPES[extname(path)]}; charset=utf-8`);
        answer.end(readFileSync(path));
      });
    }
  },
  generateBundle() {
    for (const [fileName, path] of Object.entries(KEPT)) {
      this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
    }
  },
};

export default defineConfig({
  base: "/",
  // What is kept comes after the bound: no part of the first load.
  plugins: [react(), tailwindcss(), boundedFirstLoad(300), kept],
  resolve: { alias: { "@": here("./src") } },
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
      ["/api", "/auth", "/version", "/docs", "/openapi.json"].map((path) => [
        path,
        { target: api, ws: true },
      ]),
    ),
  },
  preview: { headers: { "Content-Security-Policy": POLICY } },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"] },
});
