import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.GROWQR_URL ?? "http://127.0.0.1:4000";

// What the instance sends with the pages too: `vite preview` shows what breaks it.
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
].join("; ");

export default defineConfig({
  base: "/",
  plugins: [react(), tailwindcss()],
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
