import { memo } from "react";
import { cx } from "../cx";
import { reveal } from "./reveal";
import { changedPart, type Gap, type Line, type Pair, type Row } from "./rows";
import { ROW } from "./useRows";

const GROUNDS = { same: "", add: "bg-accent-soft", remove: "bg-danger-soft" };
const MARKS = {
  same: "",
  add: "rounded-xs bg-[color-mix(in_srgb,var(--accent)_28%,transparent)]",
  remove: "rounded-xs bg-[color-mix(in_srgb,var(--danger)_28%,transparent)]",
};
const SIGNS = { same: " ", add: "+", remove: "-" };
const HEIGHT = { height: ROW };
const NUMBER =
  "sticky w-12 shrink-0 select-none bg-inherit pr-2 text-right text-faint text-xs leading-[22px] tabular-nums max-sm:w-9 max-sm:pr-1";

export const UnifiedRow = memo(function UnifiedRow({ row }: { row: Row }) {
  if (!("old" in row)) return <GapRow gap={row} />;
  return (
    <div style={HEIGHT} className={cx("flex bg-surface", GROUNDS[row.kind])}>
      <span className={cx(NUMBER, "left-0")}>{row.old}</span>
      <span className={cx(NUMBER, "left-12 border-r max-sm:left-9")}>{row.now}</span>
      <Text line={row} />
    </div>
  );
});

export const SplitRow = memo(function SplitRow({ row }: { row: Pair }) {
  if (row.kind !== "pair") return <GapRow gap={row} />;
  return (
    <div style={HEIGHT} className="flex">
      <Side line={row.left} number={row.left?.old} />
      <Side line={row.right} number={row.right?.now} className="border-l" />
    </div>
  );
});

interface SideProps {
  line: Line | null;
  number: number | null | undefined;
  className?: string;
}

function Side({ line, number, className }: SideProps) {
  const ground = line ? cx("bg-surface", GROUNDS[line.kind]) : "bg-sunken";
  return (
    <div className={cx("flex min-w-0 flex-1 basis-0", ground, className)}>
      <span className={NUMBER}>{number}</span>
      {line && <Text line={line} />}
    </div>
  );
}

function Text({ line }: { line: Line }) {
  const part = line.other === undefined ? null : changedPart(line.text, line.other);
  return (
    <code className="whitespace-pre pl-1 font-mono text-[13px] leading-[22px] [tab-size:4]">
      <span className="inline-block w-4 select-none text-faint">{SIGNS[line.kind]}</span>
      {/* A direction of its own, so that it cannot turn the numbers beside it. */}
      <bdi dir="ltr">
        {part ? (
          <>
            {reveal(line.text.slice(0, part[0]))}
            <mark className={cx("text-inherit", MARKS[line.kind])}>
              {reveal(line.text.slice(...part))}
            </mark>
            {reveal(line.text.slice(part[1]))}
          </>
        ) : (
          reveal(line.text)
        )}
      </bdi>
    </code>
  );
}

function GapRow({ gap }: { gap: Gap }) {
  const file = gap.kind === "file";
  return (
    <div
      style={HEIGHT}
      className={cx(
        "bg-sunken px-3 text-xs leading-[22px]",
        file ? "font-medium font-mono text-ink" : "text-muted",
      )}
    >
      <bdi className="sticky left-3">{gap.text}</bdi>
    </div>
  );
}
