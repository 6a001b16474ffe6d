import { Ago, Badge, Button, cx, ProblemNote, SkeletonList } from "@/ui";
import { useHistory } from "./queries";

interface Props {
  path: string;
  /** The version that is shown. */
  version: string | null;
  onChoose: (id: string | null) => void;
}

/** Who wrote what when; a version is chosen to see what it changed. */
export function History({ path, version, onChoose }: Props) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useHistory(path);
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <SkeletonList label="Reading the history" />;
  const rows = data.pages.flatMap((page) => page.data);
  return (
    <>
      <h2 className="mb-2 font-semibold text-sm">History</h2>
      <ol className="grid gap-1">
        {rows.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              aria-pressed={row.id === version}
              onClick={() => onChoose(row.id === version ? null : row.id)}
              className={cx(
                "grid w-full gap-0.5 rounded-lg px-3 py-2 text-left text-sm",
                row.id === version ? "bg-accent-soft" : "hover:bg-sunken",
              )}
            >
              <bdi className="line-clamp-2 break-words font-medium">{row.message}</bdi>
              <span className="flex flex-wrap items-center gap-x-2 text-muted text-xs">
                <bdi>{row.author}</bdi>
                <Ago time={row.at} />
                {row.removed && <Badge tone="bad">removed</Badge>}
                <CommitId commit={row.commit} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      {hasNextPage && (
        <Button
          size="sm"
          className="mt-2"
          busy={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          Older versions
        </Button>
      )}
    </>
  );
}

/** Git's id, or that the write is safe and git follows. */
export function CommitId({ commit }: { commit: string | null }) {
  if (!commit) return <Badge tone="warn">not yet in git</Badge>;
  return (
    <code title={commit} className="font-mono text-faint text-xs">
      {commit.slice(0, 8)}
    </code>
  );
}
