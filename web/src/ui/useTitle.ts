import { useEffect } from "react";

/** The document's title, in tabs and the browser's history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · growqr`;
  }, [title]);
}
