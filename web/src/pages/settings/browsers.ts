const BROWSERS = ["Firefox", "Edg", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"];

/** "Firefox on Windows", from what the browser says of itself. */
export function browserOf(agent: string): string {
  const browser = BROWSERS.find((one) => agent.includes(`${one}/`))?.replace("Edg", "Edge");
  const system = SYSTEMS.find((one) => agent.includes(one));
  if (!browser) return agent.slice(0, 60) || "Unknown browser";
  return system ? `${browser} on ${system}` : browser;
}
