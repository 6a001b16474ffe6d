/** Threads by words: by their names at once, and by what was said in them once the server has looked. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask, listThreads } from "@/api";
import type { Thread } from "@/stream";

const PAUSE = 250;
const SHORTEST = 2;

export interface Found {
  threads: Thread[];
  channels: Thread[];
  said: Thread[];
  archived: Thread[];
  none: boolean;
}

/** `said`: ids of the threads in which the words were said. */
export function foundIn(threads: Thread[], words: string, said: ReadonlySet<string>): Found {
  const wanted = words.trim().toLowerCase().split(/\s+/);
  const named = (thread: Thread) => wanted.every((word) => namesOf(thread).includes(word));
  const byName = threads.filter(named);
  const bySaid = words.trim() ? threads.filter((one) => said.has(one.id) && !named(one)) : [];
  return {
    threads: byName.filter((one) => one.kind !== "channel" && !one.archived),
    channels: byName.filter((one) => one.subAgentId && !one.archived),
    said: bySaid.filter((one) => one.kind !== "channel" || one.subAgentId),
    archived: byName.filter((one) => one.archived),
    none: !byName.length && !bySaid.length && words.trim() !== "",
  };
}

function namesOf(thread: Thread): string {
  const name = thread.kind === "master" ? "Grow Agent" : "";
  return `${name} ${thread.title} ${thread.subAgentId ?? ""}`.toLowerCase();
}

const NONE: ReadonlySet<string> = new Set();

/** The threads in which the words were said: asked for once one pauses. */
export function useSaidIn(typed: string): ReadonlySet<string> {
  const words = useSettled(typed.trim());
  const { data } = useQuery({
    queryKey: ["threads", "said", words],
    queryFn: () => ask(listThreads({ query: { q: words, limit: 200 } })),
    enabled: words.length >= SHORTEST,
    select: (page) => new Set(page.data.map((thread) => thread.id)),
  });
  return data ?? NONE;
}

function useSettled(now: string): string {
  const [settled, settle] = useState(now);
  useEffect(() => {
    const timer = setTimeout(() => settle(now), PAUSE);
    return () => clearTimeout(timer);
  }, [now]);
  return settled;
}
