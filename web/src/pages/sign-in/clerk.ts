/** Clerk's own script, loaded from the address that the instance names. */

interface Clerk {
  load(): Promise<void>;
  session: { getToken(): Promise<string | null> } | null | undefined;
  openSignIn(): void;
  addListener(then: (now: { session?: Clerk["session"] }) => void): () => void;
}

declare global {
  interface Window {
    Clerk?: Clerk;
  }
}

const WAIT = 15_000;

function loadScript(src: string, key: string): Promise<void> {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => failed(new Error("Clerk does not answer")), WAIT);
    script.src = src;
    script.async = true;
    script.crossOrigin = "anonymous";
    script.dataset.clerkPublishableKey = key;
    script.onload = () => {
      clearTimeout(timer);
      done();
    };
    script.onerror = () => {
      clearTimeout(timer);
      script.remove();
      failed(new Error("Clerk's script could not be loaded"));
    };
    document.head.append(script);
  });
}

/** A token of whoever signs in at Clerk. Opens its dialog where nobody is. */
export async function clerkToken(frontendApi: string, key: string): Promise<string> {
  const host = frontendApi.replace(/^https?:\/\//, "").replace(/\/$/, "");
  const src = `https://${host}/npm/@clerk/clerk-js@5/dist/clerk.browser.js`;
  if (!window.Clerk) await loadScript(src, key);
  const clerk = window.Clerk;
  if (!clerk) throw new Error("Clerk did not start");
  await clerk.load();
  const token = (await clerk.session?.getToken()) ?? (await signedIn(clerk));
  if (!token) throw new Error("Clerk gave no token");
  return token;
}

function signedIn(clerk: Clerk): Promise<string | null> {
  return new Promise((done, failed) => {
    const stop = clerk.addListener(({ session }) => {
      if (!session) return;
      stop();
      session.getToken().then(done, failed);
    });
    clerk.openSignIn();
  });
}
