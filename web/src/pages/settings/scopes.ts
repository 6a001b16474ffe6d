/** Scopes of an API key, as one chooses them. */
export const GROUPS = [
  "actors",
  "decisions",
  "files",
  "git",
  "memory",
  "opencode",
  "sub-agents",
  "threads",
  "timers",
  "turns",
  "users",
] as const;

export type Verb = "" | "read" | "write";
export type Chosen = Partial<Record<string, Verb>>;

/** `all` holds for everything; else what was chosen of each group. Who may write may read. */
export function scopesOf(all: Verb, chosen: Chosen): string[] {
  if (all === "write") return ["write"];
  const single = GROUPS.flatMap((group) => {
    const verb = chosen[group];
    if (!verb || (all === "read" && verb === "read")) return [];
    return [`${group}:${verb}`];
  });
  return all === "read" ? ["read", ...single] : single;
}
