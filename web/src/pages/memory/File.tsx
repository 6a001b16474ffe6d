import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { ask, removeMemory } from "@/api";
import { Button, confirm, Markdown, ProblemNote, SkeletonList } from "@/ui";
import { Editor } from "./Editor";
import { CommitId } from "./History";
import { thereOf, useFile } from "./queries";

interface Props {
  path: string;
  editing: boolean;
  onEdit: (editing: boolean) => void;
}

const MARKDOWN = /(\.(md|markdown)|(^|\/)[^./]+)$/i;

/** One file as it stands. */
export function File({ path, editing, onEdit }: Props) {
  const read = useFile(path);
  const { data: file, error, refetch } = read;
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ask(removeMemory({ path: { path } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["memory"] }),
  });
  const there = thereOf(read);
  if (editing && there !== undefined) {
    return <Editor path={path} onDone={() => onEdit(false)} />;
  }
  if (there === null) {
    return (
      <p className="rounded-lg bg-sunken p-4 text-muted">
        There is no such file now. If it was removed, its history is beside, and any version of it
        can be restored.
      </p>
    );
  }
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!file) return <SkeletonList label="Reading the file" />;
  const askFirst = async () => {
    const text = `Your agent will not know ${path} any more. Its history stays, and it can be restored from there.`;
    if (await confirm({ title: "Remove this file?", text, yes: "Remove", danger: true })) {
      remove.mutate();
    }
  };
  return (
    <article className="mx-auto grid max-w-3xl gap-4">
      <header className="flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 flex-1 basis-40 break-all font-mono text-muted text-sm">
          <bdi>{file.path}</bdi>
        </h2>
        <CommitId commit={file.commit} />
        <Button size="sm" onClick={() => onEdit(true)}>
          <Pencil aria-hidden className="size-4" /> Edit
        </Button>
        <Button size="sm" look="danger" busy={remove.isPending} onClick={askFirst}>
          <Trash2 aria-hidden className="size-4" /> Remove
        </Button>
      </header>
      {remove.error && <ProblemNote error={remove.error} />}
      {file.content === "" ? (
        <p className="text-muted">The file is empty.</p>
      ) : MARKDOWN.test(path) ? (
        <Markdown text={file.content ?? ""} />
      ) : (
        <pre className="scroll-thin overflow-x-auto rounded-lg border bg-sunken p-4 font-mono text-sm">
          <bdi dir="ltr">{file.content}</bdi>
        </pre>
      )}
    </article>
  );
}
