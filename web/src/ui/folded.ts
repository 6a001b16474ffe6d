import { useState } from "react";

/** Whether a part of the page is folded away, as this browser remembers it under a name. */
export function useFolded(name: string): [boolean, (folded: boolean) => void] {
  const key = `growqr.folded.${name}`;
  const [folded, setFolded] = useState(() => read(key));
  const set = (next: boolean) => {
    setFolded(next);
    try {
      localStorage.setItem(key, String(next));
    } catch {
      // private windows may refuse; it lasts as long as the page
    }
  };
  return [folded, set];
}

function read(key: string): boolean {
  try {
    return localStorage.getItem(key) === "true";
  } catch {
    return false;
  }
}
