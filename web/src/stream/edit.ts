/**
 * Changes for a whole batch of events at the price of one: each part is copied at its first
 * change and then changed in place. What was handed out before stays as it was.
 */
import { type Conversation, emptyConversation, type Turn, type View } from "./view";

export class Edit {
  readonly view: View;
  private readonly own = new WeakSet<object>();

  constructor(view: View) {
    this.view = { ...view };
    this.own.add(this.view);
  }

  /** `parent[key]`, safe to change; `parent` must be so already. */
  at<P extends object, K extends keyof P>(parent: P, key: K): P[K] {
    const value = parent[key];
    if (typeof value !== "object" || value === null || this.own.has(value)) return value;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as P[K] & object;
    this.own.add(copy);
    parent[key] = copy;
    return copy;
  }

  /** An entry of a record, safe to change; null where there is none. */
  entry<T extends object>(record: Record<string, T>, key: string): T | null {
    return Object.hasOwn(record, key) ? (this.at(record, key) as T) : null;
  }

  conversation(threadId: string): Conversation {
    const all = this.at(this.view, "conversations");
    if (!Object.hasOwn(all, threadId)) all[threadId] = emptyConversation(threadId);
    return this.at(all, threadId) as Conversation;
  }

  turn(threadId: string, turnId: string): Turn {
    const turns = this.at(this.conversation(threadId), "turns");
    turns[turnId] ??= {
      id: turnId,
      threadId,
      state: "queued",
      waiting: null,
      error: null,
      result: null,
      epoch: 0,
      resumed: false,
      queuedAt: null,
      startedAt: null,
      endedAt: null,
      doneSteps: [],
      seq: 0,
    };
    return this.at(turns, turnId) as Turn;
  }
}
