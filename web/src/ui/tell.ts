import { toast } from "sonner";
import { asProblem } from "@/api";
import { copyText } from "./copy";
import { retryWords } from "./retry";

/** A toast of what went wrong; the id of its request can be copied for whoever reads the log. */
export function tellProblem(error: unknown): void {
  const problem = asProblem(error);
  const { detail, requestId } = problem;
  const description = [retryWords(problem), requestId && `Request ${requestId}`];
  toast.error(detail, {
    description: description.filter(Boolean).join(" ") || undefined,
    action: requestId && { label: "Copy id", onClick: () => void copyText(requestId) },
    duration: 8000, // long enough to read and to reach the button
  });
}
