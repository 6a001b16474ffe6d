import { Check, Copy } from "lucide-react";
import { type ComponentProps, useRef, useState } from "react";
import { IconButton } from "../Button";
import { copyText } from "../copy";

/** A block of code with a button that copies it. */
export function CodeBlock({ children }: ComponentProps<"pre">) {
  const box = useRef<HTMLPreElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(box.current?.textContent ?? ""));
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div className="group relative">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys */}
      <pre ref={box} tabIndex={0} className="scroll-thin">
        {children}
      </pre>
      <IconButton
        size="sm"
        className="absolute top-1.5 right-1.5 size-8 bg-surface/80 opacity-0 transition-opacity focus-visible:opacity-100 group-hover:opacity-100"
        label={copied ? "Copied" : "Copy code"}
        icon={copied ? <Check /> : <Copy />}
        onClick={copy}
      />
    </div>
  );
}
