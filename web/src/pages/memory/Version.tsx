import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCcw, Undo2, X } from "lucide-react";
import { useMemo } from "react";
import { toast } from "sonner";
import { ask, newKey, removeMemory, undoMemory, writeMemory } from "@/api";
import { Ago, Button, confirm, Diff, IconButton, ProblemNote, SkeletonList } from "@/ui";
import { CommitId } from "./History";
import { useHistory, useVersion } from "./queries";

interface Props {
  path: string;
  id: string;
  onClose: () => void;
}

/** What one version changed; the newest can be undone, an older one taken again. */
export function Version({ path, id, onClose }: Props) {
  const { data: version, error, refetch } = useVersion(path, id);
  const history = useHistory(path);
  const newest = history.data?.pages[0]?.data[0]?.id === id;
  const queries = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a key for each version
  const key = useMemo(newKey, [id]);
  const change = useMutation({
    mutationFn: (made: () => Promise<unknown>) => made(),
    onSuccess: () => {
      toast.success("Done, as a new version.");
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["memory"] }),
  });
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!version) return <SkeletonList label="Reading the version" />;
  const undo = () =>
    change.mutate(() =>
      ask(undoMemory({ path: { path }, body: { id }, headers: { "Idempotency-Key": key } })),
    );
  const restore = async () => {
    const text = `${path} becomes what this version made of it. What is there now stays in the history.`;
    if (!(await confirm({ title: "Restore this version?", text, yes: "Restore" }))) return;
    const message = `Restore: ${version.message}`.slice(0, 200);
    const { content } = version;
    change.mutate(() =>
      content === null
        ? ask(removeMemory({ path: { path } }))
        : ask(writeMemory({ path: { path }, body: { content, message } })),
    );
  };
  return (
    <div className="flex h-full min-h-0 flex-col gap-3">
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="break-words font-semibold">
            <bdi>{version.message}</bdi>
          </h2>
          <p className="flex flex-wrap items-center gap-x-2 text-muted text-sm">
            <bdi>{version.author}</bdi>
            <Ago time={version.at} />
            <CommitId commit={version.commit} />
          </p>
        </div>
        {newest ? (
          <Button size="sm" busy={change.isPending} onClick={undo}>
            <Undo2 aria-hidden className="size-4" /> Undo
          </Button>
        ) : (
          history.data && (
            <Button size="sm" busy={change.isPending} onClick={restore}>
              <RotateCcw aria-hidden className="size-4" /> Restore
            </Button>
          )
        )}
        <IconButton size="sm" label="Back to the file" icon={<X />} onClick={onClose} />
      </div>
      {change.error && <ProblemNote error={change.error} />}
      <Diff
        key={id}
        label={`What “${version.message}” changed`}
        before={version.previous}
        after={version.content}
        className="min-h-0 flex-1"
      />
    </div>
  );
}
