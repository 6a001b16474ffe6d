/** What a sub-agent does or has done, in one line. */
import {
  type Conversation,
  type Message,
  openTurns,
  type SubAgent,
  type ToolCall,
  textOf,
  type View,
} from "@/stream";

const TELLING = ["command", "filePath", "path", "pattern", "query", "url", "prompt", "text"];
const LONGEST = 300;

/** What is most telling about a tool's input. */
export function gistOf(input: unknown): string {
  if (typeof input !== "object" || input === null) return oneLine(String(input ?? ""));
  const fields = input as Record<string, unknown>;
  const name = TELLING.find((one) => typeof fields[one] === "string" && fields[one]);
  if (name) return oneLine(String(fields[name]));
  const all = JSON.stringify(input);
  return all === "{}" ? "" : oneLine(all);
}

/** The beginning of a text, without line breaks. */
export function oneLine(text: string): string {
  return text
    .slice(0, 2 * LONGEST)
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, LONGEST);
}

const WAITS: Record<string, string> = {
  approval: "Waits for your approval",
  answer: "Waits for your answer",
  budget: "Waits for you to allow more",
};

/** Null where events do not tell, or not any more. */
export function progressOf(view: View, agent: SubAgent): string | null {
  const talk = view.conversations[agent.threadId];
  const turn = openTurns(talk?.turns ?? {})[0];
  if (turn?.waiting) return WAITS[turn.waiting] ?? "Waits";
  if (agent.state === "working" || agent.state === "waiting") {
    if (turn?.state === "queued") return "Queued";
    const tool = newest(Object.values(talk?.tools ?? {}), turn?.id);
    return tool ? `${tool.name} ${gistOf(tool.input)}` : (agent.progress ?? "Working");
  }
  if (agent.turnId && talk?.turns[agent.turnId]?.state === "cancelled") return "Cancelled";
  return agent.error ?? reportOf(talk, agent.turnId);
}

function reportOf(talk: Conversation | undefined, turnId: string | null): string | null {
  const own = (one: Message) => one.turnId === turnId && one.role === "assistant";
  const last = talk?.messages.findLast(own);
  return (last && oneLine(textOf(last.content))) || null;
}

function newest(tools: ToolCall[], turnId: string | undefined): ToolCall | null {
  const own = tools.filter((tool) => tool.turnId === turnId);
  return own.reduce<ToolCall | null>(
    (last, tool) => (last && last.at > tool.at ? last : tool),
    null,
  );
}
