/** Which events of the ring are shown. */
import type { Event } from "@/stream";
import { placeOf } from "@/ui/rows";

export interface Filter {
  /** How the type begins. */
  type: string;
  thread: string;
  /** Anywhere in its JSON, whatever the case. */
  text: string;
}

const texts = new WeakMap<Event, string>();

function textOf(event: Event): string {
  let text = texts.get(event);
  if (text === undefined) {
    text = JSON.stringify(event).toLowerCase();
    texts.set(event, text);
  }
  return text;
}

export function matches(event: Event, { type, thread, text }: Filter): boolean {
  if (type && !event.type.startsWith(type)) return false;
  if (thread && event.thread_id !== thread) return false;
  return !text || textOf(event).includes(text.toLowerCase());
}

/** Filters a growing list; what was looked at once is not looked at again. */
export class Sieve {
  private key = "";
  private last = 0;
  private kept: Event[] = [];

  of(events: readonly Event[], filter: Filter): Event[] {
    const key = JSON.stringify([filter.type, filter.thread, filter.text]);
    const newest = events.at(-1)?.seq ?? 0;
    if (key !== this.key || newest < this.last) {
      this.key = key;
      this.last = 0;
      this.kept = [];
    }
    const oldest = events[0]?.seq ?? 0;
    const fresh = events
      .slice(placeOf(events, this.last + 1))
      .filter((one) => matches(one, filter));
    const gone = placeOf(this.kept, oldest);
    if (fresh.length || gone) this.kept = [...this.kept.slice(gone), ...fresh];
    this.last = newest;
    return this.kept;
  }
}

export function jsonLines(events: readonly Event[]): string {
  return events.map((one) => JSON.stringify(one)).join("\n");
}

export function familyOf(type: string): string {
  return type.split(".", 1)[0] ?? type;
}

/** What is most telling about it, on one line. */
export function gist({ data }: Event): string {
  const content = Array.isArray(data.content) ? data.content.find((one) => one?.text)?.text : null;
  const told = [data.name, data.path, data.role, data.state, data.reason ?? data.why];
  const words = [...told, content ?? data.text, data.error?.message, data.progress];
  return words
    .filter((one) => typeof one === "string" && one)
    .join(" · ")
    .slice(0, 300);
}
