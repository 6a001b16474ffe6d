import type { ErrorComponentProps } from "@tanstack/react-router";
import { asProblem } from "@/api";
import { Button, ProblemNote, useTitle } from "@/ui";

/** What stands where a page broke; the rest of the shell goes on. */
export function Boundary({ error, reset }: ErrorComponentProps) {
  const chunk = /dynamically imported module|Importing a module/.test(asProblem(error).detail);
  const title = chunk ? "There is a new version of this page" : "This page has a defect";
  useTitle(title);
  return (
    <div className="mx-auto grid w-full max-w-lg gap-4 p-6">
      <h1 className="font-semibold text-lg">{title}</h1>
      {!chunk && <ProblemNote error={error} retry={reset} />}
      <Button look="primary" onClick={() => location.reload()}>
        Load it again
      </Button>
    </div>
  );
}
