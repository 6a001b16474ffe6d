import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "./Button";
import { copyText } from "./copy";
import { Dialog } from "./Dialog";

interface Props {
  title: string;
  /** What it is, such as "Key". */
  what: string;
  /** Null: closed. */
  secret: string | null;
  onClose: () => void;
}

/** Something that is shown once. A press beside it does not lose it; Close does, as it says. */
export function SecretDialog({ title, what, secret, onClose }: Props) {
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async () => {
    if (secret && (await copyText(secret))) setCopied(secret);
  };
  return (
    <Dialog
      open={secret !== null}
      onOpenChange={(open) => open || onClose()}
      keepOpenOutside
      title={title}
      description="It is shown now and never again."
    >
      <code className="block break-all rounded-lg bg-sunken p-3 font-mono text-sm">{secret}</code>
      <div className="flex flex-wrap justify-end gap-2 pt-4">
        <Button onClick={copy}>
          {secret !== null && copied === secret ? (
            <>
              <Check aria-hidden className="size-4" /> {what} copied
            </>
          ) : (
            <>
              <Copy aria-hidden className="size-4" /> Copy
            </>
          )}
        </Button>
        <Button look="primary" onClick={onClose}>
          I have stored it
        </Button>
      </div>
    </Dialog>
  );
}
