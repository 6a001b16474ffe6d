import { type RefObject, useRef, useState } from "react";
import { Button, Dialog, Field, Input, ProblemNote } from "@/ui";

interface Props {
  heading: string;
  /** What the button says that saves it. */
  yes: string;
  title?: string;
  /** Throws Problem. */
  save: (title: string) => Promise<void>;
  onClose: () => void;
  onCloseAutoFocus?: (event: Event) => void;
}

/** Asks for the title of a thread. */
export function TitleDialog({ heading, onClose, onCloseAutoFocus, ...form }: Props) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={heading}
      onOpenAutoFocus={(event) => {
        event.preventDefault();
        field.current?.select();
      }}
      onCloseAutoFocus={onCloseAutoFocus}
    >
      <TitleForm {...form} field={field} onClose={onClose} />
    </Dialog>
  );
}

interface FormProps extends Pick<Props, "yes" | "title" | "save" | "onClose"> {
  field: RefObject<HTMLInputElement | null>;
}

function TitleForm({ yes, title: before = "", save, onClose, field }: FormProps) {
  const [title, setTitle] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await save(title.trim());
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim() && !busy) submit();
      }}
    >
      <Field label="Title">
        {(props) => (
          <Input
            {...props}
            ref={field}
            required
            maxLength={200}
            autoComplete="off"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
          />
        )}
      </Field>
      {problem !== null && <ProblemNote error={problem} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" busy={busy} disabled={!title.trim()}>
          {yes}
        </Button>
      </div>
    </form>
  );
}
