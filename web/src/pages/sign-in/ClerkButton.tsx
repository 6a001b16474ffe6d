import { useCallback, useEffect, useState } from "react";
import type { ClerkView } from "@/api";
import { nameOfWay } from "@/shell/ways";
import { Button, ProblemNote } from "@/ui";
import { byClerk, returned } from "./clerk";
import { useEnter } from "./enter";

/** Leaves for Clerk's page, and takes the session that one comes back with. */
export function ClerkButton({ clerk }: { clerk: ClerkView }) {
  const enter = useEnter();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const go = useCallback(
    async (away: boolean) => {
      setBusy(true);
      setProblem(null);
      try {
        if (await byClerk(clerk, away)) await enter();
      } catch (error) {
        setProblem(error);
      }
      setBusy(false); // also when leaving: the browser may come back to this very page
    },
    [clerk, enter],
  );
  useEffect(() => {
    const timer = setTimeout(() => returned() && go(false)); // once, also where effects run twice
    return () => clearTimeout(timer);
  }, [go]);
  return (
    <>
      <Button look="primary" busy={busy} onClick={() => go(true)}>
        Continue with {nameOfWay("clerk")}
      </Button>
      {problem !== null && <ProblemNote error={problem} />}
    </>
  );
}
