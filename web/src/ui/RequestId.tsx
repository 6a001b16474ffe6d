import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { copyText } from "./copy";

/** The id that finds a request in the instance's log, to be copied for whoever reads it. */
export function RequestId({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(id));
    setTimeout(() => setCopied(false), 2000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={copied ? "Request id copied" : `Copy request id ${id}`}
      className="inline-flex max-w-full items-center gap-1 rounded text-left font-mono text-xs hover:underline"
    >
      <span className="break-all">{id}</span>
      <Icon aria-hidden className="size-3 shrink-0" />
    </button>
  );
}
