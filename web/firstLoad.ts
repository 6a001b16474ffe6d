/** Holds what a browser must load before it shows anything to a bound. */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

interface Chunk {
  type: "chunk";
  isEntry: boolean;
  code: string;
  imports: string[];
}

interface Asset {
  type: "asset";
  source: string | Uint8Array;
}

export type Bundle = Record<string, Chunk | Asset>;

/** Bytes of the entry, of all it imports at once and of the styles, as gzip has them. */
export function firstLoad(bundle: Bundle): number {
  const needed = new Set(Object.keys(bundle).filter((name) => name.endsWith(".css")));
  const add = (name: string) => {
    const chunk = bundle[name];
    if (chunk?.type !== "chunk" || needed.has(name)) return;
    needed.add(name);
    chunk.imports.forEach(add);
  };
  for (const [name, file] of Object.entries(bundle)) {
    if (file.type === "chunk" && file.isEntry) add(name);
  }
  return [...needed].reduce((sum, name) => sum + packed(bundle[name]), 0);
}

function packed(file: Chunk | Asset | undefined): number {
  if (!file) return 0;
  return gzipSync(file.type === "chunk" ? file.code : file.source).length;
}

/** Prints the first load of a build; one beyond `most` kB fails. */
export function boundedFirstLoad(most: number): Plugin {
  return {
    name: "first-load",
    generateBundle(_, bundle) {
      const size = Math.ceil(firstLoad(bundle) / 1000);
      const told = `first load: ${size} kB of at most ${most} kB (gzip)`;
      if (size <= most) return this.info(told);
      this.error(`${told}. Import by \`lazy\` what the first page can do without.`);
    },
  };
}
