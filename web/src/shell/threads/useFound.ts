import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask, listThreads } from "@/api";
import { stream, type Thread } from "@/stream";
import { threadName } from "../ThreadLinks";

const PAUSE = 250;
const MOST = 200;

export interface Found {
  named: Thread[];
  /** Threads in which it was said, under another name. */
  said: Thread[];
  searching: boolean;
  error: Error | null;
  retry: () => void;
}

/** Threads for some words: by name at once, and by what was said when the instance answers. */
export function useFound(threads: Thread[], words: string): Found {
  const late = useLate(words);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["threads", "found", late],
    queryFn: ({ signal }) => search(late, signal),
    enabled: late !== "",
    placeholderData: keepPreviousData,
  });
  const named = threads.filter((thread) => isNamed(thread, words));
  const ids = new Set(data);
  const said = threads.filter((thread) => ids.has(thread.id) && !named.includes(thread));
  const searching = isFetching || late !== words;
  return { named, said, searching, error, retry: refetch };
}

/** The ids of threads with these words; threads that this page did not know are added to it. */
async function search(words: string, signal: AbortSignal): Promise<string[]> {
  const { seq } = stream.getView();
  const { data } = await ask(listThreads({ query: { q: words, limit: MOST }, signal }));
  stream.addThreads(data, seq);
  return data.map((thread) => thread.id);
}

function isNamed(thread: Thread, words: string): boolean {
  return threadName(thread).toLowerCase().includes(words.toLowerCase());
}

/** A value once it has stayed the same for a while. */
function useLate(value: string): string {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return late;
}
