import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask, asProblem, writeMemory } from "@/api";
import { isSame, type Known, keepNote, keptNote, type Note, noteOf } from "./note";
import { thereOf, useFile } from "./queries";

/** Writes a file, `path` null: a new one; it replaces nothing but what its text was made from. */
export function useNote(path: string | null, onDone: (path: string | null) => void) {
  const queries = useQueryClient();
  const [taken, setTaken] = useState<string | null>(null); // a name that there is already
  const there = thereOf(useFile(path ?? taken));
  const [note, setNote] = useState(() => keptNote(path) ?? noteOf(path, there ?? null));
  const moved = there !== undefined && !isSame(there, note.base);
  const save = useMutation({
    mutationFn: () => write(note, moved || there === undefined ? note.base : there),
    onSuccess: (saved) => {
      keepNote(path, null);
      queries.setQueryData(["memory", "file", saved.path], saved);
      queries.invalidateQueries({ queryKey: ["memory"] });
      onDone(saved.path);
    },
    onError: (error) => {
      if (asProblem(error).code !== "precondition_failed") return;
      setTaken(note.name);
      queries.invalidateQueries({ queryKey: ["memory", "file", note.name] });
    },
  });
  const put = (change: Partial<Note>) => {
    const next = { ...note, ...change };
    keepNote(path, next);
    setNote(next);
  };
  return {
    note,
    /** What is there now, where it is not what the note was begun from. */
    moved: moved ? { there } : null,
    saving: save.isPending,
    error: save.error,
    put,
    rename: (name: string) => {
      put({ name, base: null });
      setTaken(null);
      save.reset();
    },
    save: () => moved || save.mutate(),
    giveUp: () => {
      keepNote(path, null);
      onDone(path);
    },
  };
}

function write({ name, text, message }: Note, base: Known) {
  const headers = base ? { "if-match": `"${base.version}"` } : { "if-none-match": "*" };
  const body = { content: text, message: message || null };
  return ask(writeMemory({ path: { path: name }, body, headers }));
}
