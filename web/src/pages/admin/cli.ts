/** The command for what is looked at; what was typed is one word of it, whatever is in there. */
export function auditLine(who: string, action: string): string {
  const parts = ["growqr audit"];
  if (who) parts.push(`--who ${quoted(who)}`);
  if (action) parts.push(`--action ${quoted(action)}`);
  return parts.join(" ");
}

function quoted(word: string): string {
  return /^[\w.@:][\w.@:-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
