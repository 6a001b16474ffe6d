/** Signs that change how a line looks without being seen, such as those that turn its direction. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const LONGEST = 2000;

/** The text with hidden signs written out, and cut where it is too long to be a line. */
export function reveal(text: string): string {
  const shown = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  const plain = shown.replace(
    HIDDEN,
    (sign) => `‹U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}›`,
  );
  const more = text.length - shown.length;
  return more ? `${plain} … ${more.toLocaleString("en")} more characters` : plain;
}
