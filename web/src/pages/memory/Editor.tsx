import type { FormEvent } from "react";
import { asProblem } from "@/api";
import { Button, Field, Input, ProblemNote, Textarea } from "@/ui";
import { Meanwhile } from "./Meanwhile";
import { useNote } from "./useNote";

interface Props {
  /** The file that is edited; null: a new one. */
  path: string | null;
  onDone: (path: string | null) => void;
}

export function Editor({ path, onDone }: Props) {
  const { note, moved, saving, error, put, rename, save, giveUp } = useNote(path, onDone);
  const send = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  const take = () => {
    if (!moved?.there) giveUp();
    else put({ base: moved.there, text: moved.there.content });
  };
  const isTold = moved !== null && asProblem(error).code === "precondition_failed";
  return (
    <form onSubmit={send} className="flex min-h-full flex-col gap-3">
      {path === null && (
        <Field label="Path" hint="Folders are made by slashes: notes/launch.md">
          {(field) => (
            <Input {...field} required value={note.name} onChange={(e) => rename(e.target.value)} />
          )}
        </Field>
      )}
      {moved && (
        <Meanwhile
          isNew={path === null}
          note={note}
          there={moved.there}
          onKeep={() => put({ base: moved.there })}
          onTake={take}
        />
      )}
      <Textarea
        aria-label="Content"
        autoFocus
        value={note.text}
        onChange={(e) => put({ text: e.target.value })}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) e.currentTarget.form?.requestSubmit();
        }}
        className="min-h-64 flex-1 resize-y font-mono text-sm"
      />
      <Field label="Message" hint="Says in the history why. Ctrl Enter saves.">
        {(field) => (
          <Input
            {...field}
            maxLength={200}
            placeholder={`Write ${note.name}`}
            value={note.message}
            onChange={(e) => put({ message: e.target.value })}
          />
        )}
      </Field>
      {error && !isTold && <ProblemNote error={error} />}
      <div className="flex gap-2">
        <Button look="primary" type="submit" busy={saving} disabled={moved !== null}>
          Save
        </Button>
        <Button onClick={giveUp}>Cancel</Button>
      </div>
    </form>
  );
}
