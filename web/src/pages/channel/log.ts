/** The lines of a channel, kept up as its events come; and which of them are shown. */
import { type Event, toolKey } from "@/stream";
import { called, type Kind, type Line, lineOf } from "./lines";

export class Log {
  private last = 0;
  private lines: Line[] = [];
  private readonly calls = new Map<string, number>();
  /** Those of them that have not ended. */
  private readonly open = new Map<string, number>();
  /** Where each event stands: those without a line of their own, with what came before. */
  private readonly places = new Map<number, number>();

  /** All lines, with these events too. Events are in order; those seen before are passed over. */
  of(events: readonly Event[]): Line[] {
    const from = events.findIndex((event) => event.seq > this.last);
    if (from < 0) return this.lines;
    this.lines = [...this.lines];
    for (const event of events.slice(from)) this.add(event);
    return this.lines;
  }

  /** The line that a permalink means: `e<seq>` of any event, or a message's id. */
  at(hash: string): Line | null {
    const seq = /^e(\d+)$/.exec(hash)?.[1];
    if (!seq) return this.lines.find((line) => hash && line.messageId === hash) ?? null;
    return this.lines[this.places.get(Number(seq)) ?? -1] ?? null;
  }

  private add(event: Event): void {
    this.last = event.seq;
    const place = event.type.startsWith("tool.") ? this.call(event) : this.tell(event);
    this.places.set(event.seq, place);
  }

  private tell(event: Event): number {
    const line = lineOf(event);
    if (line) this.lines.push(line);
    if (ENDS.has(event.type)) this.cutOff(event);
    return this.lines.length - 1;
  }

  /** Calls of a turn that has ended go on no more, and nobody knows how they went. */
  private cutOff({ turn_id: turnId, time }: Event): void {
    for (const [key, place] of this.open) {
      const line = this.lines[place];
      if (!line?.call || !key.startsWith(toolKey(turnId ?? "", ""))) continue;
      const call = { ...line.call, state: "unknown", endedAt: time };
      this.lines[place] = { ...line, bad: true, call };
      this.open.delete(key);
    }
  }

  private call(event: Event): number {
    const key = toolKey(event.turn_id ?? "", event.data.tool_use_id ?? event.seq);
    const place = this.calls.get(key) ?? this.lines.length;
    this.calls.set(key, place);
    const line = called(this.lines[place] ?? null, event);
    this.lines[place] = line;
    if (line.call?.endedAt) this.open.delete(key);
    else this.open.set(key, place);
    return place;
  }
}

const ENDS = new Set(["turn.completed", "turn.failed", "turn.cancelled"]);

export interface Filter {
  kind: Kind | "";
  text: string;
}

export function shownOf(lines: Line[], { kind, text }: Filter): Line[] {
  const wanted = text.trim().toLowerCase();
  if (!kind && !wanted) return lines;
  return lines.filter((line) => isOf(line, kind) && (!wanted || textIn(line).includes(wanted)));
}

/** A call that failed is an error too. */
function isOf(line: Line, kind: Kind | ""): boolean {
  return !kind || line.kind === kind || (kind === "error" && line.bad);
}

const texts = new WeakMap<Line, string>();

function textIn(line: Line): string {
  let text = texts.get(line);
  if (text === undefined) {
    const { input, output } = line.call ?? {};
    const all = [line.name, line.text, line.whole, JSON.stringify(input), JSON.stringify(output)];
    text = all.filter(Boolean).join("\n").toLowerCase();
    texts.set(line, text);
  }
  return text;
}
