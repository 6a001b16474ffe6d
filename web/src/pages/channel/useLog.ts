import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { askAll, listEvents } from "@/api";
import { type SubAgent, useView, type View } from "@/stream";
import { Sieve } from "../events/sieve";
import type { Line } from "./lines";
import { Log } from "./log";

const EVENTS = (view: View) => view.events;
const LIFE = (view: View) => view.life;
const PAGE = 200;
const MOST_PAGES = 1000; // as many events as a journal keeps

/** The lines of a sub-agent's channel: its journal as it was, and what the stream tells since. */
export function useLog(agent: SubAgent) {
  const { threadId } = agent;
  const life = useView(LIFE);
  const events = useView(EVENTS);
  const journal = useQuery({
    queryKey: ["journal", threadId, life],
    queryFn: () => readJournal(threadId),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0, // nobody adds to it once the page is left
  });
  const { data } = journal;
  const sieve = useRef(new Sieve());
  // biome-ignore lint/correctness/useExhaustiveDependencies: another life, another log
  const log = useMemo(() => {
    const made = new Log();
    if (data) made.of(data);
    return made;
  }, [data, threadId, life]);
  const live = sieve.current.of(events, { type: "", thread: threadId, text: "" });
  // Without the journal there is no beginning: what is live waits for it.
  const lines: Line[] = data || journal.error ? log.of(live) : [];
  return { log, lines, loading: journal.isPending, problem: journal.error, retry: journal.refetch };
}

function readJournal(threadId: string) {
  const path = { thread_id: threadId };
  return askAll((cursor) => listEvents({ path, query: { limit: PAGE, cursor } }), MOST_PAGES);
}
