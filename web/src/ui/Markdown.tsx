import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./markdown/Rendered"));

/** Without the two characters that show letters in another order than they stand in. */
export function inOrder(text: string): string {
  return text.replace(/[\u202d\u202e]/g, "");
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
