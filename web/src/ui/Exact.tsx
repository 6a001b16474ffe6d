import { useMemo } from "react";
import { piecesOf } from "./exact";

/** A text as it is: characters that hide, or turn others around, stand there by their number. */
export function Exact({ text }: { text: string }) {
  const pieces = useMemo(() => piecesOf(text), [text]);
  return pieces.map((piece, at) =>
    typeof piece === "string" ? (
      piece
    ) : (
      <span
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
        key={at}
        title="A character that cannot be seen"
        className="mx-0.5 rounded bg-warn-soft px-1 font-mono text-warn text-xs"
      >
        {piece.code}
      </span>
    ),
  );
}
