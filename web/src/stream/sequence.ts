/** Each durable event once and in order: what to make of the next number. */

export type Verdict = "apply" | "repeated" | "gap" | "lost";

/** A gap that is still there after so many reconnects will not be filled. */
const PATIENCE = 3;

export class Sequence {
  private gapAt = -1;
  private gaps = 0;

  constructor(public cursor: number) {}

  /** `gap`: reconnect behind the cursor. `lost`: that did not help; begin anew before `seq`. */
  take(seq: number): Verdict {
    if (seq <= this.cursor) return "repeated";
    if (seq === this.cursor + 1) {
      this.cursor = seq;
      return "apply";
    }
    this.gaps = this.gapAt === this.cursor ? this.gaps + 1 : 1;
    this.gapAt = this.cursor;
    return this.gaps < PATIENCE ? "gap" : "lost";
  }

  reset(seq: number): void {
    this.cursor = seq;
    this.gapAt = -1;
  }
}
