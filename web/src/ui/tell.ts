import { toast } from "sonner";
import { asProblem } from "@/api";
import { copyText } from "./copy";

/** A toast of what went wrong; the id of its request can be copied for whoever runs the instance. */
export function tellProblem(error: unknown): void {
  const { detail, requestId } = asProblem(error);
  if (!requestId) return void toast.error(detail);
  toast.error(detail, {
    description: `Request ${requestId}`,
    action: { label: "Copy id", onClick: () => void copyText(requestId) },
    duration: 8000,
  });
}
