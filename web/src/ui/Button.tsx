import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border-transparent",
  plain: "bg-surface text-ink hover:bg-sunken border-line",
  quiet: "bg-transparent text-muted hover:bg-sunken hover:text-ink border-transparent",
  danger:
    "bg-danger-soft text-danger hover:brightness-95 dark:hover:brightness-125 border-transparent",
};

interface Props extends ComponentProps<"button"> {
  look?: Look;
  size?: "md" | "sm";
  /** It works on it: not to be pressed again. */
  busy?: boolean;
}

export function Button({ look = "plain", size = "md", busy, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg border font-medium",
        "transition-colors disabled:cursor-default disabled:opacity-55",
        size === "sm" ? "h-8 px-2.5 text-sm" : "h-10 px-4",
        LOOKS[look],
        className,
      )}
    >
      {busy && <LoaderCircle aria-hidden className="size-4 animate-spin" />}
      {children}
    </button>
  );
}

interface IconProps extends Omit<Props, "children"> {
  label: string;
  icon: ReactNode;
}

/** A square button with a picture; `label` is its name and its tooltip. */
export function IconButton({ label, icon, className, look = "quiet", ...rest }: IconProps) {
  return (
    <Button
      look={look}
      {...rest}
      aria-label={label}
      title={label}
      className={cx("size-9 px-0 [&_svg]:size-[1.15rem]", className)}
    >
      {icon}
    </Button>
  );
}
