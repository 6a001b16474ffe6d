import { useEffect } from "react";

let title = "";
let count = 0;

function show(): void {
  const marked = title ? `${title} · growqr` : "growqr";
  document.title = count ? `(${count}) ${marked}` : marked;
}

/** The document's title, in tabs and the browser's history. */
export function useTitle(next: string): void {
  useEffect(() => {
    title = next;
    show();
  }, [next]);
}

/** How many things wait for somebody: before the title, where also a hidden tab tells of it. */
export function useTitleCount(next: number): void {
  useEffect(() => {
    count = next;
    show();
    return () => {
      count = 0;
      show();
    };
  }, [next]);
}
