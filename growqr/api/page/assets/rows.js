// Rows of the lists: browsers that are signed in, and accounts at providers.

const NAMES = { clerk: "Clerk", github: "GitHub", google: "Google" };
const WAYS = { link: "by a link", token: "by a token", clerk: "by Clerk" };
const STEPS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

export const named = (way) => NAMES[way] ?? way;

export function browser(found, signOut) {
  const name = nameOf(found.agent);
  const row = rowOf(name, [
    WAYS[found.way] ?? `by ${named(found.way)}`, found.address, `used ${ago(found.used_at)}`,
  ]);
  if (found.current) {
    row.append(element("span", "tag", "this browser"));
    return row;
  }
  const button = element("button", "quiet", "Sign out");
  button.type = "button";
  button.setAttribute("aria-label", `Sign out ${name}, signed in ${ago(found.created_at)}`);
  button.onclick = () => signOut(button);
  row.append(button);
  return row;
}

export function account(way, linked, href) {
  const row = rowOf(named(way), [linked.includes(way) ? "signs you in" : "not linked"]);
  if (linked.includes(way)) {
    row.append(element("span", "tag", "linked"));
    return row;
  }
  const link = element("a", "quiet", "Link");
  link.href = href;
  link.setAttribute("aria-label", `Link ${named(way)}`);
  row.append(link);
  return row;
}

function rowOf(title, facts) {
  const words = element("div", "words");
  words.append(
    element("strong", "", title),
    element("span", "faint", facts.filter(Boolean).join(" · ")),
  );
  const row = element("li", "");
  row.append(words);
  return row;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

// "Firefox on Linux", as far as a browser tells.
function nameOf(agent) {
  const first = (pairs) => pairs.find(([sign]) => agent.includes(sign))?.[1];
  const program = first([
    ["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["HeadlessChrome/", "Chrome"],
    ["Chrome/", "Chrome"], ["Safari/", "Safari"], ["curl/", "curl"], ["python", "a script"],
  ]);
  const system = first([
    ["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"],
    ["Mac OS", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"],
  ]);
  return [program ?? "A browser", system].filter(Boolean).join(" on ");
}

function ago(time) {
  const seconds = (Date.now() - new Date(time).getTime()) / 1000;
  const [unit, size] = STEPS.find(([, long]) => seconds >= long) ?? [];
  if (!unit) return "just now";
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(seconds / size), unit);
}
