import { ProblemNote, SkeletonList } from "@/ui";
import { pieces } from "./hits";
import { useFound } from "./queries";

interface Props {
  words: string;
  path: string;
  onOpen: (path: string) => void;
}

/** Files that hold any of the words, best first. */
export function Found({ words, path, onOpen }: Props) {
  const { data, error, refetch } = useFound(words);
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <SkeletonList label="Searching" />;
  if (!data.data.length) {
    return (
      <p role="status" className="px-3 py-6 text-center text-muted text-sm">
        No file holds these words. Whole words are looked for.
      </p>
    );
  }
  return (
    <ul aria-label="Found" className="grid gap-0.5 p-2">
      {data.data.map((file) => (
        <li key={file.path}>
          <button
            type="button"
            aria-current={file.path === path || undefined}
            onClick={() => onOpen(file.path)}
            className="w-full rounded-lg px-2.5 py-2 text-left text-sm hover:bg-sunken aria-[current]:bg-accent-soft"
          >
            <span className="block break-all font-medium">
              <Marked text={file.path} words={words} />
            </span>
            <span className="line-clamp-3 break-words text-muted">
              <Marked text={file.snippet} words={words} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Marked({ text, words }: { text: string; words: string }) {
  return (
    <bdi>
      {pieces(text, words).map((piece) =>
        piece.hit ? (
          <mark key={piece.at} className="rounded-xs bg-warn-soft text-warn">
            {piece.text}
          </mark>
        ) : (
          <span key={piece.at}>{piece.text}</span>
        ),
      )}
    </bdi>
  );
}
