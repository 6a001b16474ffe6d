import { ChevronRight, FileText, Folder } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { cx } from "@/ui";
import { branches, foldersOf, type Listed, move } from "./tree";

interface Props {
  files: Listed[];
  path: string;
  onOpen: (path: string) => void;
}

/** Folders and files; arrows walk, right and left open and close, Enter shows a file. */
export function Tree({ files, path, onOpen }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => firstOpen(files, path));
  const [at, setAt] = useState(path);
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => branches(files, opened), [files, opened]);
  useEffect(() => {
    if (!path) return;
    setAt(path);
    setOpened((was) => new Set([...was, ...foldersOf(path)]));
  }, [path]);
  const toggle = (folder: string, open: boolean) => {
    const next = new Set(opened);
    if (open) next.add(folder);
    else next.delete(folder);
    setOpened(next);
  };
  const focused = rows.some((row) => row.path === at) ? at : (rows[0]?.path ?? "");
  const press = (event: KeyboardEvent) => {
    const row = rows.find((one) => one.path === focused);
    if (row && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      if (row.folder) toggle(row.path, !row.open);
      else onOpen(row.path);
      return;
    }
    const then = move(rows, focused, event.key);
    if (!then) return;
    event.preventDefault();
    if ("open" in then) toggle(then.open, true);
    else if ("close" in then) toggle(then.close, false);
    else {
      setAt(then.focus);
      box.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(then.focus)}"]`)?.focus();
    }
  };
  return (
    <div ref={box} role="tree" aria-label="Files" onKeyDown={press} className="grid p-2">
      {rows.map((row) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the tree listens for keys
        <div
          key={row.path}
          role="treeitem"
          data-path={row.path}
          tabIndex={row.path === focused ? 0 : -1}
          aria-level={row.depth + 1}
          aria-expanded={row.folder ? row.open : undefined}
          aria-selected={row.path === path}
          onFocus={() => setAt(row.path)}
          onClick={() => (row.folder ? toggle(row.path, !row.open) : onOpen(row.path))}
          style={{ paddingLeft: `${row.depth * 1.1 + 0.4}rem` }}
          className={cx(
            "flex h-8 min-w-0 cursor-pointer items-center gap-1.5 rounded-lg pr-2 text-sm outline-offset-[-2px] max-md:h-10",
            row.path === path ? "bg-accent-soft text-accent" : "hover:bg-sunken",
          )}
        >
          {row.folder ? (
            <ChevronRight
              aria-hidden
              className={cx("size-3.5 shrink-0 text-faint", row.open && "rotate-90")}
            />
          ) : (
            <span className="w-3.5 shrink-0" />
          )}
          {row.folder ? (
            <Folder aria-hidden className="size-4 shrink-0 text-faint" />
          ) : (
            <FileText aria-hidden className="size-4 shrink-0 text-faint" />
          )}
          <bdi className="truncate">{row.name}</bdi>
          {row.folder && !row.open && (
            <span className="ml-auto text-faint text-xs tabular-nums">{row.files}</span>
          )}
          {row.pending && (
            <span title="not yet in git" className="ml-auto size-1.5 rounded-full bg-warn">
              <span className="sr-only">not yet in git</span>
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

/** A small memory is shown whole; of a large one what leads to the file. */
function firstOpen(files: Listed[], path: string): Set<string> {
  const above = files.length <= 40 ? files.flatMap((file) => foldersOf(file.path)) : [];
  return new Set([...above, ...foldersOf(path)]);
}
