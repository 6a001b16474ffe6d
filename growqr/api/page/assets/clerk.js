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
    const missing = () => fail(new Error("Clerk cannot be reached; is something blocking it?"));
    script.onload = () => window.Clerk.load().then(() => done(window.Clerk), missing);
    script.onerror = missing;
    document.head.append(script);
  }).catch((error) => {
    loading = undefined; // the next press of the button tries again
    throw error;
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

// Ends the session there too. The function keeps Clerk from leading the browser elsewhere.
export async function leave(clerk) {
  if (clerk.session) await clerk.signOut(() => undefined);
}

// Signed in here by the session there; leaves for Clerk's page when there is none (false).
export async function enter(clerk, away = true) {
  if (clerk.session) {
    const bearer = await clerk.session.getToken();
    try {
      await ask("/auth/exchange", { method: "POST", body: {}, bearer });
    } catch (error) {
      if (error.status === 403) await leave(clerk); // so that another account can be chosen
      throw error;
    }
    return true;
  }
  if (away) {
    sessionStorage.setItem(CAME_BY, "1");
    const back = location.href;
    await clerk.redirectToSignIn({ signInFallbackRedirectUrl: back, signUpFallbackRedirectUrl: back });
  }
  return false;
}
