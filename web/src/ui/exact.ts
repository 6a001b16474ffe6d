/** Text that shows what a reader cannot see: what turns letters around, and what has no picture. */

/** A piece of text, or a character in it that has to be named. */
export type Piece = string | { code: string };

const UNSEEN = new RegExp(
  "([\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b" +
    "\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}])",
  "u",
);

export function piecesOf(text: string): Piece[] {
  return text
    .split(UNSEEN)
    .map((part, at) => (at % 2 ? { code: nameOf(part) } : part))
    .filter((piece) => piece !== "");
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
