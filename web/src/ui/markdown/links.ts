const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address where a link may lead; null for every other scheme, and for paths. */
export function safeLink(href: string | undefined): string | null {
  if (!href) return null;
  try {
    const url = new URL(href);
    return ALLOWED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
