/** Server-sent events from chunks that may be cut anywhere, also within a line end. */
import type { Sent } from "./wire";

export class Parser {
  private rest = "";
  private first = true;
  private skipFeed = false;
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  /** The events that this chunk completes. */
  push(chunk: string): Sent[] {
    let text = this.rest + chunk;
    if (this.first && text) {
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      this.first = false;
    }
    if (this.skipFeed && text) {
      if (text[0] === "\n") text = text.slice(1);
      this.skipFeed = false;
    }
    const found: Sent[] = [];
    const end = /\r\n|\n|\r/g;
    let start = 0;
    for (let match = end.exec(text); match; match = end.exec(text)) {
      const sent = this.line(text.slice(start, match.index));
      if (sent) found.push(sent);
      start = end.lastIndex;
      // A line feed may follow in the next chunk; it belongs to this line end.
      if (match[0] === "\r" && start === text.length) this.skipFeed = true;
    }
    this.rest = text.slice(start);
    return found;
  }

  private line(line: string): Sent | null {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): Sent | null {
    const { id, event, data } = this;
    this.id = null;
    this.event = "";
    this.data = [];
    return data.length ? { id, event: event || "message", data: data.join("\n") } : null;
  }
}
