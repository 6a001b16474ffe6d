import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Hash, MessageSquare } from "lucide-react";
import { Dialog } from "radix-ui";
import { useThreads } from "@/stream";
import { choose, closeOverlay, returnFocus, useOverlay } from "./overlays";
import { threadName } from "./ThreadLinks";
import { type Action, useActions } from "./useActions";
import { usePlaces } from "./usePlaces";

/** Every page and thread by its name: Ctrl or Cmd with K. */
export default function Palette() {
  const open = useOverlay() === "palette";
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || closeOverlay()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-[#0b0a08]/45" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={returnFocus}
          className="fixed top-[12dvh] left-1/2 z-50 w-[min(36rem,94vw)] -translate-x-1/2 overflow-hidden rounded-2xl border border-line bg-surface shadow-raised outline-none"
        >
          <Dialog.Title className="sr-only">Search or jump to</Dialog.Title>
          <Choices />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Choices() {
  const navigate = useNavigate();
  const threads = useThreads();
  const actions = useActions();
  const places = usePlaces();
  return (
    <Command label="Search or jump to" loop>
      <Command.Input
        placeholder="Page, thread, sub-agent or action"
        className="h-13 w-full border-b bg-transparent px-4 text-base outline-none"
      />
      <Command.List className="scroll-thin max-h-[min(24rem,60dvh)] overflow-y-auto p-2">
        <Command.Empty className="px-3 py-6 text-center text-muted">
          Nothing of that name
        </Command.Empty>
        <Command.Group heading="Pages" className={GROUP}>
          {places.map(({ to, label, icon: Icon, key }) => (
            <Choice
              key={to}
              value={label}
              icon={<Icon />}
              run={() => navigate({ to })}
              hint={`g ${key}`}
            />
          ))}
        </Command.Group>
        <Command.Group heading="Threads" className={GROUP}>
          {threads.map((thread) => {
            const agent = thread.subAgentId;
            const go = () =>
              agent
                ? navigate({ to: "/app/channels/$subAgentId", params: { subAgentId: agent } })
                : navigate({ to: "/app/chat/$threadId", params: { threadId: thread.id } });
            const icon = agent ? <Hash /> : <MessageSquare />;
            const name = threadName(thread);
            return <Choice key={thread.id} value={name} id={thread.id} icon={icon} run={go} />;
          })}
        </Command.Group>
        <Command.Group heading="Actions" className={GROUP}>
          {actions.map((action) => (
            <Choice key={action.value} {...action} />
          ))}
        </Command.Group>
      </Command.List>
    </Command>
  );
}

const GROUP =
  "[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-faint";

interface ChoiceProps extends Action {
  id?: string;
}

function Choice({ value, id = "", icon, hint, run }: ChoiceProps) {
  return (
    <Command.Item
      value={`${value} ${id}`}
      onSelect={() => choose(run)}
      className="flex h-10 items-center gap-3 rounded-lg px-3 data-[selected=true]:bg-accent-soft data-[selected=true]:text-accent [&_svg]:size-4"
    >
      {icon}
      <span className="truncate">{value}</span>
      {hint && <span className="ml-auto font-mono text-muted text-xs">{hint}</span>}
    </Command.Item>
  );
}
