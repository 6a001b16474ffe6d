import { type FormEvent, useState } from "react";
import { ask, type InviteView, makeInvite } from "@/api";
import { Button, Field, Input, ProblemNote, Select } from "@/ui";

/** `onMade` gets the link: it is in no other answer. */
export function NewInvite({ onMade }: { onMade: (url: string) => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<InviteView["role"]>("member");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const body = { email: email.trim() || null, role };
      onMade((await ask(makeInvite({ body }))).url);
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <form className="grid gap-4" onSubmit={make}>
      <Field label="E-mail" hint="Only who signs in with this address may use it. Empty: anyone.">
        {(props) => (
          <Input
            {...props}
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field label="Role">
        {(props) => (
          <Select
            {...props}
            value={role}
            onChange={(event) => setRole(event.target.value as InviteView["role"])}
          >
            <option value="member">member</option>
            <option value="admin">admin</option>
          </Select>
        )}
      </Field>
      {problem !== null && <ProblemNote error={problem} />}
      <Button type="submit" look="primary" busy={busy}>
        Make the invite
      </Button>
    </form>
  );
}
