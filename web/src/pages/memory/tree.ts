/** Memory's paths as a tree, flat as it is shown. */

export interface Branch {
  path: string;
  name: string;
  depth: number;
  folder: boolean;
  open: boolean;
  /** Files in it, of a folder. */
  files: number;
  pending: boolean;
}

export interface Listed {
  path: string;
  pending: boolean;
}

/** What is seen of the tree, top to bottom; folders come before files. */
export function branches(files: readonly Listed[], opened: ReadonlySet<string>): Branch[] {
  const found: Branch[] = [];
  add(found, files, "", 0, opened);
  return found;
}

/** The folders above a path, outermost first. */
export function foldersOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}

export type Move = { focus: string } | { open: string } | { close: string } | null;

/** What a key does in the tree, as the ARIA pattern for trees has it. */
export function move(rows: readonly Branch[], at: string, key: string): Move {
  const index = rows.findIndex((row) => row.path === at);
  const row = rows[index];
  if (!row) return null;
  const to = (next: Branch | undefined): Move => (next ? { focus: next.path } : null);
  if (key === "ArrowDown") return to(rows[index + 1]);
  if (key === "ArrowUp") return to(rows[index - 1]);
  if (key === "Home") return to(rows[0]);
  if (key === "End") return to(rows.at(-1));
  if (key === "ArrowRight" && row.folder) {
    return row.open ? to(rows[index + 1]) : { open: row.path };
  }
  if (key === "ArrowLeft") {
    if (row.folder && row.open) return { close: row.path };
    const above = foldersOf(row.path).at(-1);
    return above ? { focus: above } : null;
  }
  return null;
}

function add(
  found: Branch[],
  files: readonly Listed[],
  prefix: string,
  depth: number,
  opened: ReadonlySet<string>,
): void {
  const folders = new Map<string, Listed[]>();
  const here: Listed[] = [];
  for (const file of files) {
    const rest = file.path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) {
      here.push(file);
      continue;
    }
    const name = rest.slice(0, slash);
    const inside = folders.get(name);
    if (inside) inside.push(file);
    else folders.set(name, [file]);
  }
  for (const [name, inside] of [...folders].sort(([a], [b]) => a.localeCompare(b))) {
    const path = prefix + name;
    const open = opened.has(path);
    const pending = inside.some((file) => file.pending);
    found.push({ path, name, depth, folder: true, open, files: inside.length, pending });
    if (open) add(found, inside, `${path}/`, depth + 1, opened);
  }
  for (const file of here.sort((a, b) => a.path.localeCompare(b.path))) {
    const name = file.path.slice(prefix.length);
    const { path, pending } = file;
    found.push({ path, name, depth, folder: false, open: false, files: 0, pending });
  }
}
