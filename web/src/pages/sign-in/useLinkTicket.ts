import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { toast } from "sonner";
import { asProblem, type Problem } from "@/api";
import { byLink, useEnter } from "./enter";
import { forgetLink, getTicket, onTicket } from "./fragment";

interface Use {
  busy: boolean;
  problem: Problem | null;
  /** Only where trying again can help: a used link stays used. */
  retry: (() => void) | undefined;
}

/** Signs in by the link that this page was opened with, if there is one. */
export function useLinkTicket(): Use {
  const { link } = useSyncExternalStore(onTicket, getTicket);
  const enter = useEnter();
  const [busy, setBusy] = useState(link !== null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [used, setUsed] = useState(false);
  const use = useCallback(
    async (secret: string) => {
      setBusy(true);
      setProblem(null);
      try {
        await byLink(secret);
        forgetLink();
        setUsed(true);
        await enter();
      } catch (error) {
        const told = asProblem(error);
        if (told.status === 400) {
          forgetLink();
          // Whoever opened it twice is signed in already.
          const known = await enter().then(
            () => true,
            () => false,
          );
          if (known) return void toast.error(told.detail);
        }
        setProblem(told);
        setBusy(false);
      }
    },
    [enter],
  );
  /** The link is used up, and this browser signed in by it: only the way in is left. */
  const goIn = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await enter();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  useEffect(() => {
    if (!link) return;
    const timer = setTimeout(() => use(link)); // once, also where effects run twice
    return () => clearTimeout(timer);
  }, [link, use]);
  return { busy, problem, retry: link ? () => use(link) : used ? goIn : undefined };
}
