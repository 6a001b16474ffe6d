import { CircleAlert } from "lucide-react";
import { asProblem } from "@/api";
import { Button } from "./Button";
import { RequestId } from "./RequestId";
import { retryWords } from "./retry";

interface Props {
  error: unknown;
  retry?: () => void;
}

/** What went wrong, when to try again, its code and the request it happened in. */
export function ProblemNote({ error, retry }: Props) {
  const problem = asProblem(error);
  const again = retryWords(problem);
  return (
    <div role="alert" className="flex items-start gap-3 rounded-lg bg-danger-soft p-3 text-danger">
      <CircleAlert aria-hidden className="mt-0.5 size-5 shrink-0" />
      <div className="min-w-0 flex-1">
        <p className="break-words">{problem.detail}</p>
        {again && <p>{again}</p>}
        <p className="flex flex-wrap items-center gap-x-2 font-mono text-xs">
          {problem.code}
          {problem.requestId && <RequestId id={problem.requestId} />}
        </p>
      </div>
      {retry && (
        <Button size="sm" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
