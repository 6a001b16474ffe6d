// Clerk, where it is a way in: its token is good for a minute, and becomes our cookie at once.
import { ask } from "./api.js";

const CAME_BY = "growqr.clerk";
let loading;

// Clerk's own script, from Clerk's own address; asked for once.
export function load({ publishable_key, frontend_api }) {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = `${frontend_api}/npm/@clerk/clerk-js@5/dist/clerk.browser.js`;
    script.crossOrigin = "anonymous";
    script.dataset.clerkPublishableKey = publishable_key;
    script.onload = () => window.Clerk.load().then(() => done(window.Clerk), fail);
    script.onerror = () => fail(new Error("Clerk cannot be reached; is something blocking it?"));
    document.head.append(script);
  });
  return loading;
}

// Whether this page was left to sign in there: only then is a session there taken by itself, so
// that whoever signed out here stays signed out.
export function returned() {
  const came = sessionStorage.getItem(CAME_BY) !== null;
  sessionStorage.removeItem(CAME_BY);
  return came;
}

// Signed in here by the session there; leaves for Clerk's page when there is none (false).
export async function enter(clerk, leave = true) {
  if (clerk.session) {
    const bearer = await clerk.session.getToken();
    await ask("/auth/exchange", { method: "POST", body: {}, bearer });
    return true;
  }
  if (leave) {
    sessionStorage.setItem(CAME_BY, "1");
    await clerk.redirectToSignIn({ signInFallbackRedirectUrl: location.href });
  }
  return false;
}
