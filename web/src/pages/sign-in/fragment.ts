/**
 * The secret part of a sign-in link. It is taken out of the address bar before anything else
 * runs, so that it stays in no history and reaches no other page. An invite outlives a reload:
 * this tab keeps it until somebody is signed in.
 */
export interface Ticket {
  link: string | null;
  invite: string | null;
}

const KEPT = "growqr.invite";

let ticket: Ticket = { link: null, invite: kept() };
const listeners = new Set<() => void>();

function take(): void {
  const fields = new URLSearchParams(location.hash.slice(1));
  const link = fields.get("link");
  const invite = fields.get("invite");
  if (!link && !invite) return;
  ticket = { link, invite: invite ?? ticket.invite };
  keep(ticket.invite);
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

/** Whoever is signed in has used it, or does not need it. */
export function forgetInvite(): void {
  ticket = { ...ticket, invite: null };
  keep(null);
}

export function onTicket(then: () => void): () => void {
  listeners.add(then);
  return () => listeners.delete(then);
}

function kept(): string | null {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(invite: string | null): void {
  try {
    if (invite) sessionStorage.setItem(KEPT, invite);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // the browser may refuse; it lasts as long as the page
  }
}
