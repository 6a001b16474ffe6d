import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./markdown/Rendered"));

/** Characters that show others in another order than they stand in. */
const REORDERS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Without what shows letters in another order than they stand in. */
export function inOrder(text: string): string {
  return text.replace(REORDERS, "");
}

/** What a model wrote. Until the renderer is loaded, its plain text. */
export function Markdown({ text: given, live = false }: { text: string; live?: boolean }) {
  const text = inOrder(given);
  return (
    <Suspense fallback={<div className="prose whitespace-pre-wrap">{text}</div>}>
      <Rendered text={text} live={live} />
    </Suspense>
  );
}
