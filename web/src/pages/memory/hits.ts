export interface Piece {
  text: string;
  hit: boolean;
  at: number;
}

/** A text in pieces, those that a search meant marked: whole words, whatever their case. */
export function pieces(text: string, query: string): Piece[] {
  const words = query.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (!words.length) return [{ text, hit: false, at: 0 }];
  const any = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(any)) {
    if (match.index > from) {
      found.push({ text: text.slice(from, match.index), hit: false, at: from });
    }
    found.push({ text: match[0], hit: true, at: match.index });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), hit: false, at: from });
  return found;
}
