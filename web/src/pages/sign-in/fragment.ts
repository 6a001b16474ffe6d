/**
 * The secret part of a sign-in link. It is taken out of the address bar before anything else
 * runs, so that it stays in no history and reaches no other page.
 */
export interface Ticket {
  link: string | null;
  invite: string | null;
}

let ticket: Ticket = { link: null, invite: null };
const listeners = new Set<() => void>();

function take(): void {
  const fields = new URLSearchParams(location.hash.slice(1));
  const link = fields.get("link");
  const invite = fields.get("invite");
  if (!link && !invite) return;
  ticket = { link, invite };
  history.replaceState(history.state, "", location.pathname + location.search);
  for (const tell of listeners) tell();
}

take();
window.addEventListener("hashchange", take);

export function getTicket(): Ticket {
  return ticket;
}

/** A link works once. */
export function forgetLink(): void {
  ticket = { ...ticket, link: null };
}

export function onTicket(then: () => void): () => void {
  listeners.add(then);
  return () => listeners.delete(then);
}
