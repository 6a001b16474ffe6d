import { cx } from "./cx";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("animate-pulse rounded-md bg-line/60", className)} />;
}

/** A few lines that stand for what is being read. */
export function SkeletonList({ rows = 4, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <output aria-label={label} className="grid gap-3">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never move
        <Skeleton key={row} className={cx("h-12", row % 2 ? "w-4/5" : "w-full")} />
      ))}
    </output>
  );
}
