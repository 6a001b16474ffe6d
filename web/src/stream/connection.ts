/**
 * One stream that stays: it reconnects with the number of its last event, gives each durable
 * event once and in order, and says how it stands. It knows no browser: see `browser.ts`.
 */
import { backoff } from "./backoff";
import { Parser } from "./parser";
import { Sequence } from "./sequence";
import { type Frame, toFrame } from "./wire";

export type Phase = "connecting" | "live" | "reconnecting" | "offline" | "signed-out";

/** Seconds of silence after which a connection is dead; the server speaks every 15. */
export const SILENCE = 40;
/** Seconds of silence that are too many when somebody comes back to the page. */
const DOUBTFUL = 18;
/** Where nobody looks: a glance of so many seconds each so many seconds. */
export const GLANCE = 3;
export const ASLEEP = 60;

export interface Wishes {
  url: string;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Frames of one chunk, in order. */
  onFrames: (frames: Frame[]) => void;
  /** `until`: when the next try comes, in ms since 1970. */
  onPhase: (phase: Phase, until: number | null) => void;
  online?: () => boolean;
  random?: () => number;
}

class Cut extends Error {
  constructor(
    readonly phase: "reconnecting" | "signed-out",
    readonly after?: number,
  ) {
    super(phase);
  }
}

export class Connection {
  private sequence = new Sequence(0);
  private abort: AbortController | null = null;
  private stopped = true;
  private attempt = 0;
  private heard = 0;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private resume: (() => void) | null = null;
  private dozing = false;
  private readonly random: () => number;
  private readonly online: () => boolean;

  constructor(private readonly wishes: Wishes) {
    this.random = wishes.random ?? Math.random;
    this.online = wishes.online ?? (() => true);
  }

  get cursor(): number {
    return this.sequence.cursor;
  }

  /** Begin behind the event `after`. */
  start(after: number): void {
    this.stop();
    this.sequence = new Sequence(after);
    this.run();
  }

  /** End it; `start` begins anew. */
  stop(): void {
    this.stopped = true;
    this.abort?.abort();
    this.resume?.();
  }

  /** Somebody came back, or the network did: try now what waits, and doubt what is silent. */
  wake(): void {
    if (this.stopped) return;
    this.attempt = 0;
    if (this.resume) this.resume();
    else if (Date.now() - this.heard > DOUBTFUL * 1000) this.abort?.abort();
  }

  /**
   * Nobody looks: a browser has six connections for all tabs, so this one is given up. Now and
   * then it is had again for what has come meanwhile.
   */
  doze(): void {
    this.dozing = true;
    if (!this.stopped) this.abort?.abort();
  }

  /** Somebody looks again. */
  look(): void {
    if (this.dozing && this.resume) this.wishes.onPhase("connecting", null);
    this.dozing = false;
    this.wake();
  }

  /** The network is gone. */
  lost(): void {
    if (!this.stopped) this.abort?.abort();
  }

  private async run(): Promise<void> {
    this.stopped = false;
    this.attempt = 0;
    const mine = this.sequence;
    const current = () => !this.stopped && this.sequence === mine;
    this.wishes.onPhase("connecting", null);
    while (current()) {
      const cut = await this.connect(current).catch((error: unknown) => error);
      if (!current()) return;
      if (cut instanceof Cut && cut.phase === "signed-out") {
        this.stopped = true;
        this.wishes.onPhase("signed-out", null);
        return;
      }
      if (this.dozing) {
        await this.pause(ASLEEP);
        continue;
      }
      const wait = backoff(this.attempt++, this.random);
      await this.rest(Math.max(wait, (cut instanceof Cut && cut.after) || 0));
    }
  }

  private async rest(seconds: number): Promise<void> {
    if (this.online()) this.wishes.onPhase("reconnecting", Date.now() + seconds * 1000);
    else this.wishes.onPhase("offline", null);
    await this.pause(seconds);
  }

  private async pause(seconds: number): Promise<void> {
    await new Promise<void>((resume) => {
      const timer = setTimeout(resume, seconds * 1000);
      this.resume = () => {
        clearTimeout(timer);
        resume();
      };
    });
    this.resume = null;
  }

  /** One connection until it ends; throws Cut where the server said why. */
  private async connect(current: () => boolean): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.listen(abort);
    const glance = this.dozing && setTimeout(() => this.dozing && abort.abort(), GLANCE * 1000);
    try {
      const answer = await this.wishes.fetch(this.wishes.url, {
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(this.cursor) },
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
      });
      if (!answer.ok || !answer.body) throw refusal(answer);
      this.wishes.onPhase("live", null);
      const reader = answer.body.getReader();
      await this.read(reader, abort, current).finally(() => reader.cancel().catch(() => {}));
    } finally {
      clearTimeout(this.watchdog);
      if (glance) clearTimeout(glance);
      abort.abort();
    }
  }

  private async read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    abort: AbortController,
    current: () => boolean,
  ): Promise<void> {
    const parser = new Parser();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || abort.signal.aborted || !current()) return;
      this.listen(abort);
      const sent = parser.push(decoder.decode(value, { stream: true }));
      if (sent.length) this.attempt = 0;
      const { frames, broken } = this.sort(sent.map(toFrame));
      if (frames.length) this.wishes.onFrames(frames);
      if (broken) return;
      // Browsers let timers of hidden pages wait for a minute; a ping says as well that this is all.
      if (this.dozing && frames.some((frame) => frame.kind === "ping")) return;
    }
  }

  /** What to hand on, and whether a number is missing. */
  private sort(read: (Frame | null)[]): { frames: Frame[]; broken: boolean } {
    const frames: Frame[] = [];
    for (const frame of read) {
      if (frame === null) continue;
      if (frame.kind === "reset") this.sequence.reset(frame.seq);
      if (frame.kind === "event") {
        const { seq } = frame.event;
        const verdict = this.sequence.take(seq);
        if (verdict === "repeated") continue;
        if (verdict === "gap") return { frames, broken: true };
        if (verdict === "lost") {
          this.sequence.reset(seq);
          frames.push({ kind: "reset", seq: seq - 1 });
        }
      }
      frames.push(frame);
    }
    return { frames, broken: false };
  }

  private listen(abort: AbortController): void {
    this.heard = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => abort.abort(), SILENCE * 1000);
  }
}

function refusal(answer: Response): Cut {
  answer.body?.cancel().catch(() => {});
  if (answer.status === 401) return new Cut("signed-out");
  const after = Number(answer.headers.get("Retry-After") ?? 0);
  return new Cut("reconnecting", Number.isFinite(after) ? Math.min(after, 60) : 0);
}
