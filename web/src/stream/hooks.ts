/** How pages read the view state: `useView((view) => view.subAgents)`. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { asProblem, type Problem } from "@/api";
import { browser } from "./browser";
import { openDecisions } from "./parts/decisions";
import { type Line, Stream } from "./store";
import type { Conversation, Decision, Thread, View } from "./view";

export const stream = new Stream(browser);

/**
 * A part of the view. Renders again when it changes; give `same` where `select` builds
 * something new each time, such as `sameItems`.
 */
export function useView<T>(select: (view: View) => T, same = Object.is as Same<T>): T {
  const last = useRef<{ view: View; select: unknown; value: T } | null>(null);
  const read = useCallback(() => {
    const view = stream.getView();
    const known = last.current;
    if (known && known.view === view && known.select === select) return known.value;
    const value = select(view);
    const kept = known && same(known.value, value) ? known.value : value;
    last.current = { view, select, value: kept };
    return kept;
  }, [select, same]);
  return useSyncExternalStore(stream.subscribe, read);
}

type Same<T> = (a: T, b: T) => boolean;

/** Lists with the same items in the same order. */
export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, at) => Object.is(item, b[at]));
}

/** How the stream stands. */
export function useLine(): Line {
  return useSyncExternalStore(stream.subscribe, stream.getLine);
}

const byActivity = (view: View): Thread[] =>
  Object.values(view.threads).sort((a, b) => b.lastAt.localeCompare(a.lastAt));

/** Threads, the newest activity first. */
export function useThreads(): Thread[] {
  return useView(byActivity, sameItems);
}

/** What waits for a decision, the oldest first. */
export function useOpenDecisions(): Decision[] {
  return useView(openDecisions, sameItems);
}

const masterOf = (view: View): string | null =>
  Object.values(view.threads).find((thread) => thread.kind === "master")?.id ?? null;

/** The id of the master thread; null until the threads are read. */
export function useMasterThread(): string | null {
  return useView(masterOf);
}

export interface Opened {
  conversation: Conversation | null;
  loading: boolean;
  problem: Problem | null;
  retry: () => void;
}

/** What was asked in a thread, decided or not. */
export function useDecisionsOf(threadId: string | null): Decision[] {
  const select = useCallback(
    (view: View) => Object.values(view.decisions).filter((one) => one.threadId === threadId),
    [threadId],
  );
  return useView(select, sameItems);
}

/** A thread with its newest messages, which are read when it is opened, and after a reset. */
export function useConversation(threadId: string | null): Opened {
  const conversation = useView(
    useCallback((view: View) => (threadId && view.conversations[threadId]) || null, [threadId]),
  );
  const life = useView(useCallback((view: View) => view.life, []));
  const ready = useView(useCallback((view: View) => view.ready, []));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [tried, setTried] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another life, another try: again
  useEffect(() => {
    if (!threadId || !ready) return;
    let here = true;
    setProblem(null);
    stream.loadThread(threadId).catch((error) => here && setProblem(asProblem(error)));
    return () => {
      here = false;
    };
  }, [threadId, ready, life, tried]);
  const joined = conversation?.joined != null;
  const retry = useCallback(() => setTried((count) => count + 1), []);
  return { conversation, loading: !joined && !problem, problem, retry };
}

export interface Older {
  more: boolean;
  loading: boolean;
  problem: Problem | null;
  load: () => void;
}

/** The messages of a thread before those that are there. */
export function useOlder(talk: Conversation | null): Older {
  const threadId = talk?.threadId;
  const [loading, setLoading] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = useCallback(() => {
    if (!threadId) return;
    setLoading(true);
    setProblem(null);
    stream
      .loadOlder(threadId)
      .catch((error) => setProblem(asProblem(error)))
      .finally(() => setLoading(false));
  }, [threadId]);
  return { more: talk?.older != null, loading, problem, load };
}
