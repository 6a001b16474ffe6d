/** The stream's server at the wire: answers are scripted, chunks are pushed by the test. */
import type { Frame } from "@/stream/wire";

export class Answer {
  private out!: ReadableStreamDefaultController<Uint8Array>;
  aborted = false;
  readonly response: Response;

  constructor(
    readonly lastEventId: string | null,
    signal: AbortSignal,
    status = 200,
    headers: Record<string, string> = {},
  ) {
    const body = new ReadableStream<Uint8Array>({
      start: (out) => {
        this.out = out;
      },
    });
    this.response = new Response(body, { status, headers });
    signal.addEventListener("abort", () => {
      if (!this.aborted) this.out.error(new DOMException("aborted", "AbortError"));
      this.aborted = true;
    });
  }

  send(text: string): void {
    this.out.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.aborted = true;
    this.out.close();
  }
}

export class Server {
  readonly answers: Answer[] = [];
  readonly frames: Frame[] = [];
  readonly phases: string[] = [];
  next: { status: number; headers?: Record<string, string> } | "unreachable" = { status: 200 };
  online = true;

  fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    if (this.next === "unreachable") throw new TypeError("fetch failed");
    const last = new Headers(init.headers).get("Last-Event-ID");
    const { status, headers } = this.next;
    const answer = new Answer(last, init.signal as AbortSignal, status, headers);
    this.answers.push(answer);
    return answer.response;
  };

  get last(): Answer {
    const answer = this.answers.at(-1);
    if (!answer) throw new Error("nobody has connected");
    return answer;
  }

  get seqs(): number[] {
    return this.frames.flatMap((frame) => (frame.kind === "event" ? [frame.event.seq] : []));
  }
}
