import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./Button";
import { copyText } from "./copy";

/** A line for the terminal that does the same, to be copied. */
export function CliLine({ line }: { line: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(line));
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div className="flex max-w-full items-center gap-1 rounded-lg border border-line bg-sunken py-1 pr-1 pl-3">
      <code className="wrap-anywhere min-w-0 font-mono text-sm">
        <span aria-hidden className="select-none text-faint">
          ${" "}
        </span>
        {line}
      </code>
      <IconButton
        size="sm"
        className="ml-auto size-8"
        label={copied ? "Copied" : `Copy: ${line}`}
        icon={copied ? <Check /> : <Copy />}
        onClick={copy}
      />
    </div>
  );
}
