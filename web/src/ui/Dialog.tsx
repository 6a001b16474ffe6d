import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";
import { useReturn } from "./useReturn";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  /** A drawer comes from a side and fills the height. */
  side?: "left" | "right";
  /** For another first focus than the first button. */
  onOpenAutoFocus?: (event: Event) => void;
  /** For another place of the focus then than where it was before. */
  onCloseAutoFocus?: (event: Event) => void;
  /** A press beside it does not close it: what it holds would be lost. */
  keepOpenOutside?: boolean;
  children: ReactNode;
  className?: string;
}

const SIDES = {
  left: "inset-y-0 left-0 w-[min(20rem,88vw)] border-r",
  right: "inset-y-0 right-0 w-[min(24rem,92vw)] border-l",
};

/** A dialog in the middle, or a drawer where `side` is given. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  side,
  onOpenAutoFocus,
  onCloseAutoFocus,
  keepOpenOutside,
  children,
  className,
}: Props) {
  const back = useReturn(open);
  const place = side
    ? SIDES[side]
    : "left-1/2 top-1/2 w-[min(32rem,94vw)] max-h-[90dvh] -translate-x-1/2 -translate-y-1/2 rounded-2xl border";
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[#0b0a08]/45" />
        <Radix.Content
          onOpenAutoFocus={onOpenAutoFocus}
          onCloseAutoFocus={onCloseAutoFocus ?? back}
          {...(description ? {} : { "aria-describedby": undefined })}
          onInteractOutside={(event) => keepOpenOutside && event.preventDefault()}
          className={cx(
            "fixed z-50 flex flex-col overflow-hidden border-line bg-surface shadow-raised outline-none",
            place,
            className,
          )}
        >
          <div className="flex items-center gap-2 px-4 pt-3 pb-1">
            <Radix.Title className="flex-1 truncate font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label="Close" icon={<X />} />
            </Radix.Close>
          </div>
          {description && (
            <Radix.Description className="px-4 pb-2 text-muted">{description}</Radix.Description>
          )}
          <div className="scroll-thin min-h-0 flex-1 overflow-y-auto px-4 pb-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
