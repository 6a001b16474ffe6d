import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.GROWQR_URL ?? "http://127.0.0.1:4000";

// Heavy parts are imported where they are used, by `lazy`; each gets a file of its own.
const HEAVY: [string, RegExp][] = [
  ["markdown", /[\\/](streamdown|marked|micromark|mdast|hast|unist|rehype|remark|unified)/],
  ["terminal", /[\\/]@xterm[\\/]/],
  ["diff", /[\\/](@pierre|diff)[\\/]/],
];

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
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: HEAVY.map(([name, test]) => ({
            name,
            test,
            includeDependenciesRecursively: false,
          })),
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ["/api", "/auth", "/version"].map((path) => [path, { target: api, ws: true }]),
    ),
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"] },
});
