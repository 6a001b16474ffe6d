import type { MemberView } from "@/api";

/** As many rows as a page is quick with; the search finds the others. */
export const MOST = 100;

/** Those with every one of the words in their name, id, e-mail address, role or state. */
export function found(users: readonly MemberView[], words: string): MemberView[] {
  const wanted = words.toLowerCase().split(/\s+/);
  return users.filter((user) => {
    const state = user.suspended_at === null ? "" : "suspended";
    const told = [user.name, user.id, user.email, user.role, state].join(" ").toLowerCase();
    return wanted.every((word) => told.includes(word));
  });
}
