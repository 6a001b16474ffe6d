import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./markdown/Rendered"));

/** What a model wrote. Until the renderer is loaded, its plain text. */
export function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  return (
    <Suspense fallback={<div className="prose whitespace-pre-wrap">{text}</div>}>
      <Rendered text={text} live={live} />
    </Suspense>
  );
}
