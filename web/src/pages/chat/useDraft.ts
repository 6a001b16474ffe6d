import { useEffect, useRef, useState } from "react";
import { asProblem, type Problem } from "@/api";
import { type Draft, draftOf, keepDraft, readDraft } from "@/shell/drafts";

/** A text at its place, and how it is sent: once at a time, and gone only when it has arrived. */
export function useDraft(place: string, send: (draft: Draft) => Promise<void>) {
  const [draft, setDraft] = useState(() => readDraft(place));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const sending = useRef(false);
  const newest = useRef(draft);

  const put = (next: Draft) => {
    newest.current = next;
    keepDraft(place, next);
    setDraft(next);
  };
  // Its place may become known only now: what was typed goes there, behind what was kept there.
  const kept = useRef(place);
  useEffect(() => {
    if (kept.current === place) return;
    const [typed, before] = [newest.current, readDraft(place)];
    keepDraft(kept.current, draftOf(""));
    kept.current = place;
    const texts = [before.text, typed.text].filter(Boolean);
    const next = texts.length > 1 ? draftOf(texts.join("\n")) : typed.text ? typed : before;
    newest.current = next;
    keepDraft(place, next);
    setDraft(next);
  }, [place]);
  const type = (text: string) => {
    setProblem(null);
    put(draftOf(text));
  };
  const submit = async () => {
    const sent = newest.current;
    if (sending.current || !sent.text.trim()) return;
    sending.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await send(sent);
      if (newest.current.key === sent.key) put(draftOf("")); // else one has typed on meanwhile
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      sending.current = false;
      setBusy(false);
    }
  };
  return { text: draft.text, type, submit, busy, problem };
}
