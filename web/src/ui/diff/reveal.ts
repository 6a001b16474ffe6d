/** Signs that change how a line looks without being seen, such as those that turn its direction. */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
const LONGEST = 2000;

/** The text with hidden signs written out, and cut where it is too long to be a line. */
export function reveal(text: string): string {
  const shown = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  const plain = shown.replace(
    HIDDEN,
    (sign) => `‹U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`,
  );
  const more = text.length - shown.length;
  return more ? `${plain} … ${more.toLocaleString("en")} more characters` : plain;
}
