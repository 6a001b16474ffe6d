import { lazy, Suspense } from "react";
import { Skeleton } from "./Skeleton";

const View = lazy(() => import("./diff/View"));

/** Two texts, null for none, or a unified diff. `className` gives it its height. */
export type DiffProps = { label: string; className?: string } & (
  | { before: string | null; after: string | null; patch?: undefined }
  | { patch: string; before?: undefined; after?: undefined }
);

/** What differs, line by line, unified or side by side. Ten thousand lines scroll well. */
export function Diff(props: DiffProps) {
  return (
    <Suspense fallback={<Skeleton className="h-40" />}>
      <View {...props} />
    </Suspense>
  );
}
