import { Input, Select } from "@/ui";
import type { Kind } from "./lines";
import type { Filter } from "./log";

const KINDS: [Kind, string][] = [
  ["message", "Messages"],
  ["tool", "Tools"],
  ["progress", "Progress"],
  ["lifecycle", "States"],
  ["error", "Errors"],
];

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
}

export function Filters({ filter, onChange }: Props) {
  return (
    <search className="grid grid-cols-[auto_1fr] gap-2 border-b px-4 py-2 max-md:px-3">
      <Select
        aria-label="Kind"
        value={filter.kind}
        onChange={(event) => onChange({ ...filter, kind: event.target.value as Kind | "" })}
      >
        <option value="">Everything</option>
        {KINDS.map(([kind, label]) => (
          <option key={kind} value={kind}>
            {label}
          </option>
        ))}
      </Select>
      <Input
        type="search"
        aria-label="Text"
        placeholder="Text"
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
      />
    </search>
  );
}
