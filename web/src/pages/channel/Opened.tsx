import { useLayoutEffect, useRef } from "react";
import { inOrder } from "@/ui";
import { type Line, readable } from "./lines";

interface Props {
  line: Line;
  /** Its height, whenever that changes: the list makes room for it. */
  onHeight: (seq: number, pixels: number) => void;
}

/** Below an opened line: all of a message, or a call's input and output. */
export function Opened({ line, onHeight }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { seq } = line;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const tell = () => onHeight(seq, element.offsetHeight);
    const size = new ResizeObserver(tell);
    size.observe(element);
    tell();
    return () => size.disconnect();
  }, [seq, onHeight]);
  return (
    <div ref={box} className="grid gap-2 px-4 pt-1 pb-3">
      {line.whole !== null && <Block value={line.whole} />}
      {line.call && <Block label="Input" value={line.call.input} />}
      {line.call && <Block label="Output" value={line.call.output} />}
    </div>
  );
}

function Block({ label, value }: { label?: string; value: unknown }) {
  const text = readable(value);
  if (!text) return null;
  return (
    <div className="min-w-0">
      {label && <p className="pb-0.5 font-sans text-faint">{label}</p>}
      <pre className="scroll-thin max-h-72 overflow-auto whitespace-pre-wrap break-words rounded-lg bg-sunken px-3 py-2">
        {inOrder(text)}
      </pre>
    </div>
  );
}
