import { Archive, ArchiveRestore, Ellipsis, Pencil } from "lucide-react";
import { useRef, useState } from "react";
import { ask, changeThread } from "@/api";
import type { Thread } from "@/stream";
import { IconButton, Menu, tellProblem } from "@/ui";
import { SEARCH } from "../overlays";
import { ThreadLink, threadName } from "../ThreadLinks";
import { TitleDialog } from "./TitleDialog";

const change = (thread: Thread, body: { title?: string; archived?: boolean }) =>
  ask(changeThread({ path: { thread_id: thread.id }, body }));

/** A thread, and what can be done to it. The master thread stays as it is. */
export function Row({ thread }: { thread: Thread }) {
  const [renaming, setRenaming] = useState(false);
  const row = useRef<HTMLLIElement>(null);
  const move = async () => {
    const next = neighbour(row.current);
    try {
      await change(thread, { archived: !thread.archived });
      if (isFocusLost(row.current)) next?.focus();
    } catch (error) {
      tellProblem(error);
    }
  };
  const rename = {
    label: "Rename",
    icon: <Pencil aria-hidden />,
    onSelect: () => setRenaming(true),
  };
  const archive = thread.archived
    ? { label: "Bring back", icon: <ArchiveRestore aria-hidden />, onSelect: move }
    : { label: "Archive", icon: <Archive aria-hidden />, onSelect: move };
  return (
    <li ref={row} className="group relative">
      <ThreadLink thread={thread} />
      {thread.kind !== "master" && (
        <Menu items={thread.kind === "thread" ? [rename, archive] : [archive]}>
          <IconButton
            label={`Actions for ${threadName(thread)}`}
            icon={<Ellipsis aria-hidden />}
            className="absolute top-0.5 right-0.5 size-7 focus-visible:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 md:opacity-0"
          />
        </Menu>
      )}
      {renaming && (
        <TitleDialog
          heading="Rename thread"
          yes="Rename"
          title={thread.title}
          save={async (title) => {
            await change(thread, { title });
          }}
          onClose={() => setRenaming(false)}
        />
      )}
    </li>
  );
}

/** What is focused when a row leaves its list. */
function neighbour(row: HTMLElement | null): HTMLElement | null {
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  return beside?.querySelector("a") ?? document.getElementById(SEARCH);
}

function isFocusLost(row: HTMLElement | null): boolean {
  const at = document.activeElement;
  return !at || at === document.body || !!row?.contains(at);
}
