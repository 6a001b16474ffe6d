/** Clerk, where it is a way in: its token is good for a minute, and becomes our cookie at once. */
import { asProblem, type ClerkView } from "@/api";
import { byToken } from "./enter";
import { getTicket } from "./fragment";

interface Clerk {
  load(): Promise<void>;
  session?: { getToken(): Promise<string | null> } | null;
  redirectToSignIn(
    to: Record<"signInFallbackRedirectUrl" | "signUpFallbackRedirectUrl", string>,
  ): Promise<unknown>;
  /** With a function it does not lead the browser elsewhere. */
  signOut(then: () => void): Promise<void>;
}

declare global {
  interface Window {
    Clerk?: Clerk;
  }
}

const WAIT = 15_000;
const CAME_BY = "growqr.clerk";

let loading: Promise<Clerk> | undefined;
let leaving: Promise<void> | undefined;

/** Clerk's own script, from the address that the instance names; asked for once. */
function load({ publishable_key, frontend_api }: ClerkView): Promise<Clerk> {
  loading ??= new Promise<Clerk>((done, fail) => {
    const missing = () => fail(new Error("Clerk cannot be reached; is something blocking it?"));
    const script = document.createElement("script");
    script.src = `${frontend_api}/npm/@clerk/clerk-js@5/dist/clerk.browser.js`;
    script.crossOrigin = "anonymous";
    script.dataset.clerkPublishableKey = publishable_key;
    script.onload = () => {
      const clerk = window.Clerk;
      if (clerk) clerk.load().then(() => done(clerk), missing);
      else missing();
    };
    script.onerror = missing;
    setTimeout(missing, WAIT);
    document.head.append(script);
  }).catch((error) => {
    loading = undefined; // the next press of the button tries again
    throw error;
  });
  return loading;
}

/**
 * Whether this page was left to sign in there: only then is a session there taken by itself, so
 * that whoever signed out here stays signed out.
 */
export function returned(): boolean {
  const came = sessionStorage.getItem(CAME_BY) !== null;
  sessionStorage.removeItem(CAME_BY);
  return came;
}

/** Signs in by the session there. False: there is none; leaves for Clerk's page if `away`. */
export async function byClerk(config: ClerkView, away: boolean): Promise<boolean> {
  await leaving?.catch(() => undefined); // whoever signs out is on the way out there too
  const clerk = await load(config);
  if (clerk.session) {
    await exchanged(clerk, clerk.session);
    return true;
  }
  if (away) {
    sessionStorage.setItem(CAME_BY, "1");
    const back = location.href;
    await clerk.redirectToSignIn({
      signInFallbackRedirectUrl: back,
      signUpFallbackRedirectUrl: back,
    });
  }
  return false;
}

async function exchanged(clerk: Clerk, session: NonNullable<Clerk["session"]>): Promise<void> {
  const token = await session.getToken();
  if (!token) throw new Error("Clerk gave no token");
  try {
    await byToken(token, getTicket().invite);
  } catch (error) {
    if (asProblem(error).status === 403) await end(clerk); // another account can be chosen
    throw error;
  }
}

/** Ends the session there too, so that somebody else can sign in. */
export function leaveClerk(config: ClerkView): Promise<void> {
  leaving = load(config).then(end);
  return leaving;
}

async function end(clerk: Clerk): Promise<void> {
  if (clerk.session) await clerk.signOut(() => undefined);
}
