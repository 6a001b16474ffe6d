import type { ReactNode } from "react";
import { CliLine } from "./CliLine";

interface Props {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  /** The command that does or shows the same. */
  cli?: string;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, cli, action }: Props) {
  return (
    <div className="mx-auto grid w-full max-w-md grid-cols-1 justify-items-center gap-3 px-4 py-12 text-center">
      {icon && (
        <div className="grid size-12 place-items-center rounded-full bg-accent-soft text-accent [&_svg]:size-6">
          {icon}
        </div>
      )}
      <h2 className="font-semibold text-lg">{title}</h2>
      {children && <div className="text-muted">{children}</div>}
      {action}
      {cli && <CliLine line={cli} />}
    </div>
  );
}
