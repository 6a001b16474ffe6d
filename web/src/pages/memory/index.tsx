import { useNavigate, useParams } from "@tanstack/react-router";
import { ArrowLeft, BookText, FilePlus2 } from "lucide-react";
import { useDeferredValue, useState } from "react";
import {
  Button,
  cx,
  EmptyState,
  IconButton,
  Input,
  Page,
  ProblemNote,
  SkeletonList,
  useWide,
} from "@/ui";
import { Editor } from "./Editor";
import { File } from "./File";
import { Found } from "./Found";
import { History } from "./History";
import { keptNote } from "./note";
import { useFiles, useFresh } from "./queries";
import { Tree } from "./Tree";
import { Version } from "./Version";

/** What the agent remembers: /app/memory/<path> is one file of it. */
export function MemoryPage() {
  useFresh();
  const { _splat: path = "" } = useParams({ from: "/shell/app/memory/$" });
  const navigate = useNavigate();
  const wide = useWide(768);
  const [version, setVersion] = useState<string | null>(null);
  const [editing, setEditing] = useState(() => isWritten(path));
  const [making, setMaking] = useState(() => path === "" && isWritten(null));
  const [shown, setShown] = useState(path);
  if (shown !== path) {
    setShown(path);
    setVersion(null);
    setEditing(isWritten(path));
    setMaking(false);
  }
  const open = (to: string) => {
    setMaking(false);
    navigate({ to: "/app/memory/$", params: { _splat: to } });
  };
  const choose = (id: string | null) => {
    setEditing(isWritten(path));
    setVersion(id);
  };
  const inside = path !== "" || making;
  const made = (to: string | null) => (to ? open(to) : setMaking(false));
  const back = () => (path ? open("") : setMaking(false));
  return (
    <Page
      title="Memory"
      scroll="own"
      note={!wide && inside && <IconButton label="All files" icon={<ArrowLeft />} onClick={back} />}
      actions={
        <IconButton
          label="New note"
          icon={<FilePlus2 />}
          onClick={() => setMaking(true)}
          disabled={making}
        />
      }
      asideLabel="History"
      aside={
        path && !making ? <History path={path} version={version} onChoose={choose} /> : undefined
      }
    >
      <div className="flex min-h-0 flex-1">
        {(wide || !inside) && (
          // A diff needs the room more.
          <div className={cx("flex max-md:w-full", version && "max-[1500px]:hidden")}>
            <Files path={path} onOpen={open} onNew={() => setMaking(true)} />
          </div>
        )}
        {inside && (
          <div className="scroll-thin min-w-0 flex-1 overflow-y-auto p-4 md:p-6">
            {making ? (
              <Editor path={null} onDone={made} />
            ) : version ? (
              <Version path={path} id={version} onClose={() => setVersion(null)} />
            ) : (
              <File key={path} path={path} editing={editing} onEdit={setEditing} />
            )}
          </div>
        )}
        {!inside && wide && <Hint />}
      </div>
    </Page>
  );
}

/** Whether there is unsaved text for a file; null: for a new one. */
const isWritten = (path: string | null) => keptNote(path) !== null;

interface FilesProps {
  path: string;
  onOpen: (path: string) => void;
  onNew: () => void;
}

/** The left part: search, and the tree. */
function Files({ path, onOpen, onNew }: FilesProps) {
  const { data, error, refetch } = useFiles();
  const [words, setWords] = useState("");
  const meant = useDeferredValue(words.trim());
  if (error) return <ProblemNote error={error} retry={refetch} />;
  return (
    <div className="flex w-64 shrink-0 flex-col border-r max-md:w-full max-md:border-r-0">
      <div className="border-b p-2">
        <Input
          type="search"
          aria-label="Search memory"
          placeholder="Search memory"
          maxLength={500}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="h-9"
        />
      </div>
      <div className="scroll-thin min-h-0 flex-1 overflow-y-auto">
        {meant ? (
          <Found words={meant} path={path} onOpen={onOpen} />
        ) : data?.length ? (
          <Tree files={data} path={path} onOpen={onOpen} />
        ) : data ? (
          <EmptyState
            icon={<BookText />}
            title="Nothing yet"
            cli="echo 'Ann likes tea' | growqr memory put notes/tea.md"
            action={<Button onClick={onNew}>New note</Button>}
          >
            Tell your agent “remember that …”, or write a note yourself.
          </EmptyState>
        ) : (
          <div className="p-3">
            <SkeletonList label="Reading memory" />
          </div>
        )}
      </div>
    </div>
  );
}

function Hint() {
  return (
    <div className="grid flex-1 place-content-center p-6 text-center text-muted">
      <p className="max-w-sm">
        Every file here is yours to read, edit and undo, and each change is a commit in your git
        repository.
      </p>
    </div>
  );
}
