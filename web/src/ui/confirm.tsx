import { AlertDialog } from "radix-ui";
import { useSyncExternalStore } from "react";
import { Button } from "./Button";
import { useReturn } from "./useReturn";

interface Question {
  title: string;
  text: string;
  /** What the button says that does it. */
  yes: string;
  danger?: boolean;
}

let asked: (Question & { answer: (yes: boolean) => void }) | null = null;
const listeners = new Set<() => void>();

function show(next: typeof asked): void {
  asked = next;
  for (const tell of listeners) tell();
}

/** Ask before something that cannot be undone: `if (await confirm({…})) …`. */
export function confirm(question: Question): Promise<boolean> {
  asked?.answer(false);
  return new Promise((done) => {
    show({
      ...question,
      answer: (yes) => {
        show(null);
        done(yes);
      },
    });
  });
}

/** Stands once in the shell. */
export function ConfirmDialog() {
  const now = useSyncExternalStore(
    (then) => {
      listeners.add(then);
      return () => listeners.delete(then);
    },
    () => asked,
  );
  const back = useReturn(now !== null);
  return (
    <AlertDialog.Root open={now !== null} onOpenChange={(open) => !open && now?.answer(false)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-50 bg-[#0b0a08]/45" />
        <AlertDialog.Content
          onCloseAutoFocus={back}
          className="fixed top-1/2 left-1/2 z-50 grid w-[min(26rem,94vw)] -translate-x-1/2 -translate-y-1/2 gap-3 rounded-2xl border border-line bg-surface p-5 shadow-raised"
        >
          <AlertDialog.Title className="font-semibold text-lg">{now?.title}</AlertDialog.Title>
          <AlertDialog.Description className="text-muted">{now?.text}</AlertDialog.Description>
          <div className="flex justify-end gap-2 pt-1">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button look={now?.danger ? "danger" : "primary"} onClick={() => now?.answer(true)}>
              {now?.yes}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
