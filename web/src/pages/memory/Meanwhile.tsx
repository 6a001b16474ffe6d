import { Button, Diff } from "@/ui";
import type { Known, Note } from "./note";

interface Props {
  isNew: boolean;
  note: Note;
  there: Known;
  onKeep: () => void;
  onTake: () => void;
}

/** What saving would replace unseen: it is shown, and replaced on purpose or not at all. */
export function Meanwhile({ isNew, note, there, onKeep, onTake }: Props) {
  return (
    <div role="alert" className="grid gap-2 rounded-lg bg-warn-soft p-3 text-sm text-warn">
      <p>{wordsOf(isNew, there)}</p>
      {isNew ? (
        <Diff
          label="What replacing it would change"
          before={there?.content ?? null}
          after={note.text}
          className="text-ink"
        />
      ) : (
        <Diff
          label="What came meanwhile"
          before={note.base?.content ?? null}
          after={there?.content ?? null}
          className="text-ink"
        />
      )}
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={onKeep}>
          {isNew ? "Replace it" : "Keep my text"}
        </Button>
        {!isNew && (
          <Button size="sm" onClick={onTake}>
            Take theirs
          </Button>
        )}
      </div>
    </div>
  );
}

function wordsOf(isNew: boolean, there: Known): string {
  if (isNew) return "There is a file of this name. Choose another path, or replace it:";
  if (!there) return "This file was removed while you wrote. Saved, it is there again:";
  return "This file was changed while you wrote. What came meanwhile:";
}
