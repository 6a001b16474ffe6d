/** What happened in a channel, one line for each thing. */
import { type Event, textOf } from "@/stream";
import { gistOf, oneLine } from "../sub-agents/words";

export type Kind = "message" | "tool" | "progress" | "lifecycle" | "error";

export interface Call {
  input: unknown;
  output: unknown;
  state: string;
  startedAt: string;
  endedAt: string | null;
}

export interface Line {
  /** The event that began it. */
  seq: number;
  time: string;
  kind: Kind;
  /** Who speaks, the tool's name or what it is about. */
  name: string;
  text: string;
  /** Whether it went wrong. */
  bad: boolean;
  messageId: string | null;
  /** All of it, with its line breaks, where the text may be only its beginning. */
  whole: string | null;
  call: Call | null;
}

type Told = Pick<Line, "kind" | "name" | "text"> & Partial<Line>;

/** The line of an event; null for what another line tells. Calls of tools are not made here. */
export function lineOf(event: Event): Line | null {
  const told = tell(event);
  if (!told) return null;
  const rest = { bad: told.kind === "error", messageId: null, whole: null, call: null };
  return { seq: event.seq, time: event.time, ...rest, ...told };
}

function tell({ type, data }: Event): Told | null {
  const [noun = "", verb = ""] = type.split(".");
  if (noun === "message") return verb === "created" ? said(data) : life("Message taken back");
  if (noun === "turn") return turn(verb, data);
  if (noun === "sub_agent") return own(verb, data);
  if (noun === "error") return error(data);
  const asked = data.asked?.text ?? data.decision ?? data.text;
  const words = typeof asked === "string" ? oneLine(asked) : verb;
  return { kind: "lifecycle", name: `${noun} ${verb}`, text: words };
}

function said(data: Event["data"]): Told | null {
  const whole = textOf(data.content ?? []);
  if (!whole || data.role === "tool") return null;
  const asked = data.parent_turn ? "Grow Agent" : "You";
  const name = data.role === "user" ? asked : "Sub-agent";
  return { kind: "message", name, text: oneLine(whole), whole, messageId: data.message_id };
}

function turn(verb: string, data: Event["data"]): Told | null {
  if (verb === "completed") return life("Completed");
  if (verb === "cancelled") return life("Cancelled");
  if (verb === "failed") return error(data);
  if (verb === "waiting") return life(`Waits: ${String(data.waiting ?? "").replace("_", " ")}`);
  if (data.resumed) return life(`Lost and resumed, epoch ${data.epoch}`);
  return null; // sub_agent.started comes when it begins with the work
}

function own(verb: string, data: Event["data"]): Told | null {
  if (verb === "progress") {
    return { kind: "progress", name: "Progress", text: oneLine(data.text ?? "") };
  }
  const words: Record<string, string> = {
    spawned: `Made, type ${data.type}`,
    started: "Started",
    stopped: "Stopped for good",
  };
  const text = words[verb];
  return text ? life(text) : null; // how a task ended is told by its turn
}

function life(text: string): Told {
  return { kind: "lifecycle", name: "State", text };
}

function error(data: Event["data"]): Told {
  const { code, message } = data.error ?? data;
  const text = [message, code && `(${code})`].filter(Boolean).join(" ");
  return { kind: "error", name: "Error", text: oneLine(text || "Failed"), whole: text || null };
}

/** A tool's line after one more event about the call. */
export function called(before: Line | null, event: Event): Line {
  const { data, time, seq } = event;
  const verb = event.type.slice("tool.".length);
  const name: string = data.name ?? before?.name ?? "tool";
  const input = data.input ?? before?.call?.input;
  const over = verb !== "started" && verb !== "requested";
  const call: Call = {
    input,
    output: over ? data.output : undefined,
    state: verb,
    startedAt: verb === "started" ? time : (before?.call?.startedAt ?? time),
    endedAt: over ? time : null,
  };
  return {
    seq: before?.seq ?? seq,
    time: before?.time ?? time,
    kind: "tool",
    name,
    text: gistOf(input),
    bad: verb === "failed" || verb === "unknown",
    messageId: null,
    whole: null,
    call,
  };
}

/** A value as one reads it: fields by name, texts with their line breaks. */
export function readable(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value, null, 2);
  const fields = Object.entries(value).map(([name, field]) => {
    const text = typeof field === "string" ? field : JSON.stringify(field, null, 2);
    return `${name}:${text.includes("\n") ? "\n" : " "}${text}`;
  });
  return fields.join("\n");
}
