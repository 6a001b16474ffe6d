import { useEffect, useState } from "react";

/** The value once it has been the same for a moment: not every keystroke asks the server. */
export function useSettled<T>(value: T, ms = 300): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
