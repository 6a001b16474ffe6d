import { Archive, ArchiveRestore, Ellipsis, Pencil } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ask, asProblem, changeThread, type ThreadChange } from "@/api";
import type { Thread } from "@/stream";
import { Button, Dialog, Field, IconButton, Input, Menu } from "@/ui";

/** Another title for a thread; or put it away, or have it back. The master thread stays. */
export function ThreadMenu({ thread }: { thread: Thread }) {
  const [renaming, setRenaming] = useState(false);
  if (thread.kind === "master") return null;
  const rename = {
    label: "Rename",
    icon: <Pencil aria-hidden />,
    disabled: thread.kind !== "thread",
    onSelect: () => setRenaming(true),
  };
  const putAway = {
    label: thread.archived ? "Restore" : "Archive",
    icon: thread.archived ? <ArchiveRestore aria-hidden /> : <Archive aria-hidden />,
    onSelect: () => change(thread.id, { archived: !thread.archived }),
  };
  return (
    <>
      <Menu items={[rename, putAway]}>
        <IconButton label="Thread actions" icon={<Ellipsis />} />
      </Menu>
      <Dialog open={renaming} onOpenChange={setRenaming} title="Rename thread">
        <Rename thread={thread} done={() => setRenaming(false)} />
      </Dialog>
    </>
  );
}

function Rename({ thread, done }: { thread: Thread; done: () => void }) {
  const [title, setTitle] = useState(thread.title);
  const [busy, setBusy] = useState(false);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    if (await change(thread.id, { title: title.trim() })) done();
    setBusy(false);
  };
  return (
    <form className="grid gap-4" onSubmit={save}>
      <Field label="Title">
        {(props) => (
          <Input
            {...props}
            value={title}
            maxLength={200}
            onChange={(event) => setTitle(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" look="primary" busy={busy} disabled={!title.trim()}>
        Save
      </Button>
    </form>
  );
}

/** Whether it was; the event brings the change. */
async function change(threadId: string, body: ThreadChange): Promise<boolean> {
  try {
    await ask(changeThread({ path: { thread_id: threadId }, body }));
    return true;
  } catch (error) {
    toast.error(asProblem(error).detail);
    return false;
  }
}
