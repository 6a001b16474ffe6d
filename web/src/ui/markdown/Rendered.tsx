/**
 * Markdown that nobody has to trust: no HTML, no pictures, links only to the web or a mailbox.
 */
import type { ComponentProps } from "react";
import { type Components, Streamdown } from "streamdown";
import { CodeBlock } from "./CodeBlock";
import { safeLink } from "./links";

function Link({ href, children }: ComponentProps<"a">) {
  const to = safeLink(href);
  if (!to) return <span>{children}</span>;
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** A picture would tell its server who reads this, and when. */
function Picture({ alt, src }: ComponentProps<"img">) {
  const to = safeLink(typeof src === "string" ? src : undefined);
  const name = `picture: ${alt || to || "without a name"}`;
  return to ? <Link href={to}>[{name}]</Link> : <span>[{name}]</span>;
}

function Table({ children }: ComponentProps<"table">) {
  return (
    <div className="wide scroll-thin">
      <table>{children}</table>
    </div>
  );
}

/** Plain elements in place of streamdown's own: `.prose` dresses them. */
const PLAIN = Object.fromEntries(
  ["h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "p", "blockquote", "hr", "strong"]
    .concat(["thead", "tbody", "tr", "th", "td", "sup", "sub"])
    .map((tag) => [tag, plain(tag)]),
);

function plain(tag: string) {
  const Tag = tag as "p";
  return ({ children }: ComponentProps<"p">) => (tag === "hr" ? <hr /> : <Tag>{children}</Tag>);
}

const COMPONENTS = {
  ...PLAIN,
  a: Link,
  img: Picture,
  table: Table,
  pre: CodeBlock,
  code: ({ children }: ComponentProps<"code">) => <code>{children}</code>,
  inlineCode: ({ children }: ComponentProps<"code">) => <code>{children}</code>,
} as unknown as Components;

export default function Rendered({ text, live }: { text: string; live: boolean }) {
  return (
    <Streamdown
      className="prose"
      mode={live ? "streaming" : "static"}
      components={COMPONENTS}
      rehypePlugins={[]}
      skipHtml
      controls={false}
      linkSafety={{ enabled: false }}
      urlTransform={(url) => url}
    >
      {text}
    </Streamdown>
  );
}
