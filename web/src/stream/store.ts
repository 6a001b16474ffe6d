/**
 * The one stream of this page and what it has told. Frames are gathered and folded once per
 * animation frame, so that thousands of events a second are a few dozen changes.
 */
import { asProblem, onSignedOut, type Problem, type ThreadView, tellSignedOut } from "@/api";
import { type Browser, watchBrowser } from "./browser";
import { Connection, type Phase } from "./connection";
import { foldAll } from "./fold";
import { addThreads, joinMessages, joinSnapshot } from "./join";
import { readMessages, readSnapshot, readThreads } from "./snapshots";
import { emptyView, type View } from "./view";
import type { Frame } from "./wire";

/** Events before the first snapshot that are read too: history for cards and console. */
const BACKLOG = 500;
const AGAIN = 3000;

export interface Line {
  phase: Phase;
  /** When the next try comes, ms since 1970. */
  until: number | null;
  /** Why the snapshots could not be read; they are tried again. */
  problem: Problem | null;
}

export class Stream {
  private view: View = emptyView();
  private line: Line = { phase: "connecting", until: null, problem: null };
  private queue: Frame[] = [];
  private scheduled = false;
  private started = false;
  private naming = false;
  private readonly listeners = new Set<() => void>();
  private readonly wanted = new Map<string, Promise<void>>();
  private readonly connection: Connection;
  private unwatch: (() => void) | null = null;

  constructor(private readonly browser: Browser) {
    this.connection = new Connection({
      url: "/api/v1/actors/me/events",
      fetch: (url, init) => fetch(url, init),
      onFrames: (frames) => this.take(frames),
      onPhase: (phase, until) => this.phase(phase, until),
      online: () => navigator.onLine,
    });
    onSignedOut(() => this.signedOut());
  }

  subscribe = (then: () => void): (() => void) => {
    this.listeners.add(then);
    return () => this.listeners.delete(then);
  };
  getView = (): View => this.view;
  getLine = (): Line => this.line;

  /** Read the snapshots and follow from there. May be called again. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.unwatch = watchBrowser(this.connection);
    this.begin();
  }

  /** Forget everything: somebody else may sign in. */
  stop(): void {
    this.started = false;
    this.unwatch?.();
    this.connection.stop();
    this.queue = [];
    this.wanted.clear(); // what is asked for now is of the life before
    this.set(emptyView(0, this.view.life + 1));
  }

  /** Have a thread's newest messages in its conversation. Throws Problem. */
  loadThread(threadId: string): Promise<void> {
    if (this.view.conversations[threadId]?.joined != null) return Promise.resolve();
    return this.page(threadId);
  }

  /** Have the messages before those that are there, if there are any. Throws Problem. */
  loadOlder(threadId: string): Promise<void> {
    const older = this.view.conversations[threadId]?.older;
    return older ? this.page(threadId, older) : Promise.resolve();
  }

  /** One page of a thread at a time: who asks meanwhile waits for the same one. */
  private page(threadId: string, cursor?: string): Promise<void> {
    const known = this.wanted.get(threadId);
    if (known) return known;
    const life = this.view.life;
    const loading = readMessages(threadId, cursor)
      .then((page) => {
        this.flush();
        if (life === this.view.life) this.set(joinMessages(this.view, threadId, page));
      })
      .finally(() => this.wanted.get(threadId) === loading && this.wanted.delete(threadId));
    this.wanted.set(threadId, loading);
    return loading;
  }

  /** Threads read when the view stood at `seq`. */
  addThreads(threads: ThreadView[], seq: number): void {
    this.set(addThreads(this.view, threads, seq));
  }

  private async begin(): Promise<void> {
    const life = this.view.life;
    const current = () => this.started && life === this.view.life;
    try {
      const snapshot = await readSnapshot();
      if (!current()) return;
      const after = Math.max(0, snapshot.agent.seq - BACKLOG);
      this.set(joinSnapshot({ ...this.view, seq: after }, snapshot));
      this.say({ ...this.line, problem: null });
      this.connection.start(after);
    } catch (error) {
      if (!current()) return;
      const problem = asProblem(error);
      if (problem.status === 401) return;
      this.say({ phase: problem.status ? "reconnecting" : "offline", until: null, problem });
      setTimeout(() => current() && this.begin(), AGAIN);
    }
  }

  /** The journal was cut or restored: read the snapshots again; the stream goes on by itself. */
  private async reload(): Promise<void> {
    const life = this.view.life;
    const current = () => this.started && life === this.view.life;
    while (current()) {
      try {
        const snapshot = await readSnapshot();
        this.flush();
        if (current()) this.set(joinSnapshot(this.view, snapshot));
        return;
      } catch (error) {
        if (asProblem(error).status === 401) return;
        await new Promise((done) => setTimeout(done, AGAIN));
      }
    }
  }

  private take(frames: Frame[]): void {
    for (const frame of frames) if (frame.kind !== "ping") this.queue.push(frame);
    if (this.scheduled || !this.queue.length) return;
    this.scheduled = true;
    this.browser.soon(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (!this.queue.length) return;
    const frames = this.queue;
    this.queue = [];
    const { life } = this.view;
    this.set(foldAll(this.view, frames));
    if (life !== this.view.life) {
      this.wanted.clear();
      this.reload();
    }
    this.nameThreads();
  }

  /** Read the list again where an event came from a thread that nobody has named yet. */
  private async nameThreads(): Promise<void> {
    if (this.naming || !this.view.ready) return;
    if (!Object.values(this.view.threads).some((thread) => !thread.title)) return;
    this.naming = true;
    try {
      const { seq } = this.view;
      this.addThreads(await readThreads(), seq);
      await new Promise((done) => setTimeout(done, AGAIN));
    } catch {
      // the next event tries again
    } finally {
      this.naming = false;
    }
  }

  private signedOut(): void {
    this.stop(); // whoever comes back begins anew
    this.phase("signed-out", null);
  }

  private phase(phase: Phase, until: number | null): void {
    this.say({ ...this.line, phase, until });
    if (phase === "signed-out" && this.started) tellSignedOut();
  }

  private say(line: Line): void {
    this.line = line;
    this.tell();
  }

  private set(view: View): void {
    this.view = view;
    this.tell();
  }

  private tell(): void {
    for (const then of this.listeners) then();
  }
}
