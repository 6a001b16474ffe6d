/** Long lists of which only what can be seen is there. */

/** Rows are told apart by a number that grows: a place among them outlives what is put before. */
export interface Numbered {
  seq: number;
}

/** Where the first row with at least this number stands. */
export function placeOf(rows: readonly Numbered[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A row that is higher than the others, and by how many pixels. */
export type Opened = readonly [place: number, more: number];

/** Where `count` rows stand that are all `high` pixels high, but for a few that are opened. */
export class RowSpace {
  constructor(
    readonly count: number,
    readonly high: number,
    /** By place, ascending. */
    private readonly opened: readonly Opened[] = [],
  ) {}

  get height(): number {
    return this.topOf(this.count);
  }

  topOf(place: number): number {
    let top = place * this.high;
    for (const [at, more] of this.opened) {
      if (at >= place) break;
      top += more;
    }
    return top;
  }

  /** The row at a height; the last one for what is below it. */
  placeAt(top: number): number {
    let before = 0;
    for (const [at, more] of this.opened) {
      const begin = at * this.high + before;
      if (top < begin) break;
      if (top < begin + this.high + more) return at;
      before += more;
    }
    const place = Math.floor((top - before) / this.high);
    return Math.max(0, Math.min(this.count - 1, place));
  }

  /** First row and the one behind the last that are seen from `top` on, with some to spare. */
  seen(top: number, height: number, spare = 8): [number, number] {
    const first = Math.max(0, this.placeAt(top) - spare);
    return [first, Math.min(this.count, this.placeAt(top + height) + 1 + spare)];
  }
}
