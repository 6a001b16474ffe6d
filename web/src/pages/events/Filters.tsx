import { threadName } from "@/shell/ThreadLinks";
import { type Event, useThreads } from "@/stream";
import { Input, Select } from "@/ui";
import { type Filter, familyOf } from "./sieve";

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
  events: Event[];
}

export function Filters({ filter, onChange, events }: Props) {
  const threads = useThreads();
  const families = [...new Set(events.map((one) => familyOf(one.type)))].sort();
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change });
  return (
    <search className="grid grid-cols-2 gap-2 border-b px-4 py-2 md:grid-cols-3">
      <Input
        aria-label="Type begins with"
        placeholder="Type, such as tool."
        list="event-families"
        value={filter.type}
        onChange={(event) => set({ type: event.target.value.trim() })}
      />
      <datalist id="event-families">
        {families.map((one) => (
          <option key={one} value={`${one}.`} />
        ))}
      </datalist>
      <Select
        aria-label="Thread"
        value={filter.thread}
        onChange={(event) => set({ thread: event.target.value })}
      >
        <option value="">All threads</option>
        {threads.map((one) => (
          <option key={one.id} value={one.id}>
            {threadName(one)}
          </option>
        ))}
      </Select>
      <Input
        type="search"
        aria-label="Text"
        placeholder="Text"
        className="max-md:col-span-2"
        value={filter.text}
        onChange={(event) => set({ text: event.target.value })}
      />
    </search>
  );
}
