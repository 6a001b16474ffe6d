const NAMES: Record<string, string> = {
  clerk: "Clerk",
  github: "GitHub",
  google: "Google",
  link: "a link",
  token: "a token",
};

/** A way to sign in, as people call it. */
export function nameOfWay(way: string): string {
  return NAMES[way] ?? way;
}
