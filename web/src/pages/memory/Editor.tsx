import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask, writeMemory } from "@/api";
import { Button, Diff, Field, Input, ProblemNote, Textarea } from "@/ui";

interface Props {
  /** The file that is edited; null: a new one. */
  path: string | null;
  /** What it holds as far as is known, also while it is edited. */
  content: string;
  onDone: (path: string | null) => void;
}

export function Editor({ path, content, onDone }: Props) {
  const queries = useQueryClient();
  const [base, setBase] = useState(content);
  const [name, setName] = useState(path ?? "notes/");
  const [text, setText] = useState(content);
  const [message, setMessage] = useState("");
  const save = useMutation({
    mutationFn: () =>
      ask(writeMemory({ path: { path: name }, body: { content: text, message: message || null } })),
    onSuccess: (saved) => {
      queries.setQueryData(["memory", "file", saved.path], saved);
      queries.invalidateQueries({ queryKey: ["memory"] });
      onDone(saved.path);
    },
  });
  const moved = content !== base;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!moved) save.mutate();
  };
  return (
    <form onSubmit={send} className="flex min-h-full flex-col gap-3">
      {path === null && (
        <Field label="Path" hint="Folders are made by slashes: notes/launch.md">
          {(field) => (
            <Input {...field} required value={name} onChange={(e) => setName(e.target.value)} />
          )}
        </Field>
      )}
      {moved && (
        <div role="alert" className="grid gap-2 rounded-lg bg-warn-soft p-3 text-sm text-warn">
          <p>This file was changed while you wrote. What came meanwhile:</p>
          <Diff label="What came meanwhile" before={base} after={content} className="text-ink" />
          <div className="flex flex-wrap gap-2">
            <Button size="sm" onClick={() => setBase(content)}>
              Keep my text
            </Button>
            <Button
              size="sm"
              onClick={() => {
                setBase(content);
                setText(content);
              }}
            >
              Take theirs
            </Button>
          </div>
        </div>
      )}
      <Textarea
        aria-label="Content"
        autoFocus
        value={text}
        onChange={(e) => setText(e.target.value)}
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
            placeholder={`Write ${name}`}
            value={message}
            onChange={(e) => setMessage(e.target.value)}
          />
        )}
      </Field>
      {save.error && <ProblemNote error={save.error} />}
      <div className="flex gap-2">
        <Button look="primary" type="submit" busy={save.isPending} disabled={moved}>
          Save
        </Button>
        <Button onClick={() => onDone(path)}>Cancel</Button>
      </div>
    </form>
  );
}
