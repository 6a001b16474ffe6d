import { useState } from "react";
import { ask, asProblem, makeApiKey } from "@/api";
import { Button, Field, Input, ProblemNote, Select } from "@/ui";
import { type Chosen, GROUPS, scopesOf, type Verb } from "./scopes";

interface Props {
  onMade: (key: string) => void;
}

export function NewKey({ onMade }: Props) {
  const [name, setName] = useState("");
  const [all, setAll] = useState<Verb>("");
  const [chosen, setChosen] = useState<Chosen>({});
  const [days, setDays] = useState("90");
  const [tokens, setTokens] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const scopes = scopesOf(all, chosen);
  const make = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const expires_in_days = days ? Number(days) : null;
      const day_tokens = tokens ? Number(tokens) : null;
      const body = { name: name.trim(), scopes, expires_in_days, day_tokens };
      onMade((await ask(makeApiKey({ body }))).key);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <Field label="Name" hint="What it is for.">
        {(props) => (
          <Input
            {...props}
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field label="It may">
        {(props) => (
          <Select {...props} value={all} onChange={(event) => setAll(event.target.value as Verb)}>
            <option value="">do what is chosen below</option>
            <option value="read">read everything, and what is chosen below</option>
            <option value="write">read and write everything</option>
          </Select>
        )}
      </Field>
      {all !== "write" && (
        <fieldset className="grid gap-1">
          <legend className="pb-1 font-medium text-sm">Scopes</legend>
          {GROUPS.map((group) => (
            <div key={group} className="flex items-center justify-between gap-3 text-sm">
              <label htmlFor={`scope-${group}`} className="font-mono">
                {group}
              </label>
              <Select
                id={`scope-${group}`}
                className="h-8 w-36 py-0 text-sm"
                value={chosen[group] ?? ""}
                onChange={(event) => setChosen({ ...chosen, [group]: event.target.value as Verb })}
              >
                <option value="">{all === "read" ? "read" : "nothing"}</option>
                {all !== "read" && <option value="read">read</option>}
                <option value="write">read and write</option>
              </Select>
            </div>
          ))}
        </fieldset>
      )}
      <div className="grid grid-cols-2 gap-3">
        <Field label="Ends after">
          {(props) => (
            <Select {...props} value={days} onChange={(event) => setDays(event.target.value)}>
              <option value="7">7 days</option>
              <option value="30">30 days</option>
              <option value="90">90 days</option>
              <option value="365">a year</option>
              <option value="">never</option>
            </Select>
          )}
        </Field>
        <Field label="Tokens a day" hint="Empty: no limit of its own.">
          {(props) => (
            <Input
              {...props}
              type="number"
              min={1}
              step={1}
              value={tokens}
              onChange={(event) => setTokens(event.target.value)}
            />
          )}
        </Field>
      </div>
      {problem !== null && <ProblemNote error={problem} />}
      <Button type="submit" look="primary" busy={busy} disabled={!name.trim() || !scopes.length}>
        Make the key
      </Button>
    </form>
  );
}
