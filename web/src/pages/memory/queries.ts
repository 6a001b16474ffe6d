/** What is asked of memory. Everything is asked again when a write has come to git. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect } from "react";
import {
  ask,
  askAll,
  asProblem,
  listMemory,
  Problem,
  readHistory,
  readMemory,
  readVersion,
  searchMemory,
} from "@/api";
import { useView, type View } from "@/stream";
import type { Known } from "./note";

const news = (view: View) => `${view.life} ${view.commits[0]?.seq ?? 0}`;

/** Read anew what `memory.committed` tells of; stands once in the page. */
export function useFresh(): void {
  const told = useView(news);
  const queries = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: news is the reason
  useEffect(() => {
    queries.invalidateQueries({ queryKey: ["memory"] });
  }, [told, queries]);
}

export const useFiles = () =>
  useQuery({
    queryKey: ["memory", "files"],
    queryFn: () => askAll((cursor) => listMemory({ query: { limit: 200, cursor } })),
  });

const known = (count: number, error: Error) =>
  !(error instanceof Problem && error.status >= 400 && error.status < 500) && count < 2;

/** Null: none is asked for. */
export const useFile = (path: string | null) =>
  useQuery({
    queryKey: ["memory", "file", path],
    queryFn: () => ask(readMemory({ path: { path: path ?? "" } })),
    enabled: path !== null,
    retry: known,
  });

/** What a file holds now; undefined while that is not known. */
export function thereOf({ data, error }: Read): Known | undefined {
  if (error && asProblem(error).status === 404) return null;
  if (data?.content == null) return undefined;
  return { content: data.content, version: data.version };
}

type Read = Pick<ReturnType<typeof useFile>, "data" | "error">;

export const useHistory = (path: string) =>
  useInfiniteQuery({
    queryKey: ["memory", "history", path],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) =>
      ask(readHistory({ path: { path }, query: { limit: 50, cursor } })),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    retry: known,
  });

export const useVersion = (path: string, id: string) =>
  useQuery({
    queryKey: ["memory", "version", path, id],
    queryFn: () => ask(readVersion({ path: { path, id } })),
    retry: known,
  });

export const useFound = (words: string) =>
  useQuery({
    queryKey: ["memory", "found", words],
    queryFn: ({ signal }) => ask(searchMemory({ query: { q: words, limit: 50 }, signal })),
    enabled: words !== "",
    placeholderData: keepPreviousData,
  });
