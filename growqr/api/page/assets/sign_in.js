// The page: who you are, or the ways to sign in.
import { ask } from "./api.js";
import { enter, leave, load, returned } from "./clerk.js";
import { follow } from "./live.js";
import { account, browser, named } from "./rows.js";

const INVITE = "growqr.invite";
const at = (id) => document.getElementById(id);
const BEHIND = "Your agent and its memory are behind this door.";
const INVITED = "You are invited. Choose how you want to sign in.";
let config = { sign_in: [], clerk: null };
let following;

function show(id, title) {
  for (const other of ["waiting", "signed-out", "signed-in"]) at(other).hidden = other !== id;
  document.title = title;
  document.querySelector(`#${id} h1`)?.focus();
}

function notice(text, kind = "bad") {
  at("notice").className = `notice ${kind}`;
  at("notice").replaceChildren(...sentence(text));
  at("notice").hidden = !text;
}

// Words of the api as a sentence: `so` is code.
function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!…]$/.test(text) ? "" : ".");
  return whole.split("`").map((part, place) => (place % 2 ? code(part) : part));
}

function code(text) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}

// Runs what a button is for; meanwhile it cannot be pressed again.
async function during(button, work) {
  button.disabled = true;
  notice("");
  try {
    await work();
  } catch (error) {
    if (error.status === 401) return shut();
    notice(error.message);
  } finally {
    button.disabled = false;
  }
}

function signedOut() {
  following?.abort();
  const ways = config.sign_in.filter((way) => way !== "link");
  at("ways").replaceChildren(...ways.map(wayIn));
  at("by-link").hidden = !config.sign_in.includes("link");
  at("lead").textContent = sessionStorage.getItem(INVITE) ? INVITED : BEHIND;
  at("no-ways").hidden = config.sign_in.length > 0;
  show("signed-out", "Sign in · growqr");
}

function wayIn(way) {
  const button = document.createElement(way === "clerk" ? "button" : "a");
  button.className = "way";
  const mark = at(`mark-${way}`);
  if (mark) button.append(mark.content.cloneNode(true));
  button.append(`Continue with ${named(way)}`);
  if (way === "clerk") {
    button.type = "button";
    button.onclick = () => during(button, byClerk);
  } else {
    button.href = leaveFor(way);
  }
  return button;
}

function leaveFor(provider) {
  const query = new URLSearchParams({ return_to: "/" });
  const invite = sessionStorage.getItem(INVITE);
  if (invite) query.set("invite", invite);
  return `/auth/${provider}?${query}`;
}

async function byClerk() {
  if (await enter(await load(config.clerk))) await signedIn();
}

function shut() {
  const was = !at("signed-in").hidden;
  signedOut();
  if (was) notice("This browser was signed out elsewhere. Sign in again to go on.", "");
}

async function signedIn() {
  const { user, providers } = await ask("/auth/me");
  sessionStorage.removeItem(INVITE);
  at("who").textContent = user.name;
  at("face").textContent = [...user.name][0]?.toUpperCase() ?? "";
  at("role").textContent = user.role;
  at("email").textContent = user.email ?? "";
  at("user-id").textContent = user.id;
  const known = config.sign_in.filter((way) => way !== "link" && way !== "clerk");
  at("accounts").replaceChildren(...known.map((way) => account(way, providers, leaveFor(way))));
  at("accounts-card").hidden = known.length === 0;
  await listBrowsers();
  show("signed-in", `${user.name} · growqr`);
  await goLive();
}

async function listBrowsers() {
  const { data } = await ask("/auth/sign-ins");
  const rows = data.reverse().map((found) => browser(found, (button) => during(button, async () => {
    await ask(`/auth/sign-ins/${found.id}`, { method: "DELETE" });
    await listBrowsers();
  })));
  at("browsers").replaceChildren(...rows);
}

const STATES = {
  waiting: () => "Connecting…",
  open: () => "Live: what your agent does shows here at once.",
  event: (type) => `Live: ${type.replaceAll("_", " ").replace(".", ", ")} just now.`,
  away: () => "Not connected. Trying again…",
};

async function goLive() {
  following?.abort();
  following = new AbortController();
  const { signal } = following;
  const { seq } = await ask("/actors/me");
  follow(seq, (state, word) => {
    if (signal.aborted) return;
    if (state === "shut") return shut();
    at("live").dataset.state = state === "event" ? "open" : state;
    at("live-text").textContent = STATES[state](word);
  }, signal);
}

async function signOut() {
  following?.abort();
  await ask("/auth/logout", { method: "POST" });
  signedOut();
  notice("You are signed out.", "good");
  if (config.clerk) await leave(await load(config.clerk));
}

// A link or a session of Clerk's that was brought along is taken first.
async function arrive() {
  const { link, any } = window.brought;
  if (any) {
    at("doing").textContent = "Signing you in…";
    await ask("/auth/exchange", { method: "POST", body: { link: link ?? "" } });
  } else if (config.clerk && returned()) {
    await enter(await load(config.clerk), false);
  }
}

async function start() {
  let trouble = "";
  const told = (error) => { if (error.status !== 401) trouble ||= error.message; };
  if (window.brought.invite) sessionStorage.setItem(INVITE, window.brought.invite);
  try {
    config = await ask("/config");
    at("version").textContent = `growqr ${config.version}`;
    await arrive().catch(told);
    await signedIn();
  } catch (error) {
    told(error);
    signedOut();
  }
  if (trouble) notice(trouble);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.onclick = async () => {
    await navigator.clipboard?.writeText(button.dataset.copy);
    button.firstChild.textContent = "Copied";
    setTimeout(() => { button.firstChild.textContent = "Copy"; }, 1500);
  };
}
at("sign-out").onclick = () => during(at("sign-out"), signOut);
start();
