// The stream of events, by the cookie. It shows that the door stands open, and when it is shut.

const PATIENCE = 40_000; // the server speaks every 15 s at least

// Follows from event `seq` on until `signal` or a 401; `tell(state, word)` hears of every change:
// "open", "event" with the event's type, "away", and at last "shut".
export async function follow(seq, tell, signal) {
  let after = seq;
  let pause = 0;
  while (!signal.aborted) {
    const listening = new AbortController();
    const stop = () => listening.abort();
    signal.addEventListener("abort", stop);
    try {
      const answer = await fetch("/api/v1/actors/me/events", {
        headers: { accept: "text/event-stream", "last-event-id": String(after) },
        signal: listening.signal,
      });
      if (answer.status === 401) return tell("shut");
      if (!answer.ok) throw new Error(String(answer.status));
      tell("open");
      pause = 0;
      for await (const event of events(answer.body, listening)) {
        if (event.id) after = Number(event.id);
        if (event.id) tell("event", event.type);
        if (event.type === "reset") after = JSON.parse(event.text).seq;
      }
    } catch {
      if (signal.aborted) return;
      tell("away");
      pause = Math.min(10_000, pause * 2 || 500);
    } finally {
      signal.removeEventListener("abort", stop);
    }
    // An ended stream is asked for again at once: the answer tells whether the cookie is good.
    await new Promise((done) => setTimeout(done, pause || 100));
  }
}

async function* events(body, listening) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  while (true) {
    const late = setTimeout(() => listening.abort(), PATIENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(late));
    if (done) return;
    const parts = (kept + value).split("\n\n");
    kept = parts.pop();
    yield* parts.map(parsed);
  }
}

function parsed(part) {
  const event = { id: "", type: "", text: "" };
  for (const line of part.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "id") event.id = value;
    if (name === "event") event.type = value;
    if (name === "data") event.text += value;
  }
  return event;
}
