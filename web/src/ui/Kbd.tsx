export function Kbd({ keys }: { keys: string }) {
  return (
    <kbd className="rounded-md border border-line bg-sunken px-1.5 py-0.5 font-mono text-muted text-xs">
      {keys}
    </kbd>
  );
}
