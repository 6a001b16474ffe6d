/** Events as the journal holds them, in the shapes of `growqr/store`. */
import type { Delta, Event, Frame } from "@/stream/wire";

export const MASTER = `thr_${"a".repeat(32)}`;
export const CHANNEL = `thr_${"c".repeat(32)}`;
const AGENT = "grow-agent:u_owner";
const BEGIN = Date.UTC(2026, 10, 20, 9, 0, 0);

type Part = Partial<Omit<Event, "seq" | "type">>;

/** Numbers events 1, 2, 3 …, a second apart. */
export class Journal {
  seq = 0;
  readonly frames: Frame[] = [];

  add(type: string, part: Part = {}): Event {
    this.seq += 1;
    const event: Event = {
      seq: this.seq,
      type,
      time: new Date(BEGIN + this.seq * 1000).toISOString(),
      thread_id: MASTER,
      turn_id: "trn_1",
      step_id: null,
      actor: AGENT,
      data: {},
      ...part,
    };
    this.frames.push({ kind: "event", event });
    return event;
  }

  user(text: string, part: Part = {}): Event {
    const data = {
      message_id: `msg_u${this.seq}`,
      role: "user",
      content: [{ type: "text", text }],
    };
    return this.add("message.created", { actor: "u_owner", data, ...part });
  }

  reply(content: object[], part: Part = {}): Event {
    const data = { message_id: `msg_a${this.seq}`, role: "assistant", content };
    return this.add("message.created", { step_id: "stp_1", data, ...part });
  }

  started(epoch = 1, part: Part = {}): Event {
    const data = { epoch, claims: epoch, resumed: epoch > 1 };
    return this.add("turn.started", { data, ...part });
  }
}

export function delta(text: string, offset: number, part: Partial<Delta> = {}): Frame {
  return {
    kind: "delta",
    delta: {
      thread_id: MASTER,
      turn_id: "trn_1",
      step_id: "stp_1",
      epoch: 1,
      offset,
      text,
      kind: "text",
      ...part,
    },
  };
}

/** An event as it goes over the wire. */
export function sse(event: Event): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
