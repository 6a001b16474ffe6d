/** An event that a permalink names and this page does not hold. */
import { useQuery } from "@tanstack/react-query";
import { useView, type View } from "@/stream";
import { Connection } from "@/stream/connection";
import type { Event, Frame } from "@/stream/wire";

const STREAM = "/api/v1/actors/me/events";

/** What the first frame behind `seq - 1` tells of it; null: it is not kept; undefined: nothing. */
export function told(frames: readonly Frame[], seq: number): Event | null | undefined {
  for (const frame of frames) {
    if (frame.kind === "event") return frame.event.seq === seq ? frame.event : null;
    if (frame.kind === "reset") return null;
  }
  return undefined;
}

/** The event with this number, as the stream sends it; null where it is not kept any more. */
function readEvent(seq: number, signal: AbortSignal): Promise<Event | null> {
  return new Promise((done) => {
    const connection = new Connection({
      url: STREAM,
      fetch: (url, init) => fetch(url, init),
      onFrames: (frames) => {
        const event = told(frames, seq);
        if (event === undefined) return;
        connection.stop();
        done(event);
      },
      onPhase: () => {},
    });
    signal.addEventListener("abort", () => connection.stop());
    connection.start(seq - 1);
  });
}

export interface Linked {
  event: Event | null;
  /** Where it is, if it is not among the rows. */
  words: string | null;
}

const newestOf = (view: View) => view.seq;

/** The event of a permalink, also one from before this page began. */
export function useLinked(
  seq: number | undefined,
  held: Event | undefined,
  amount: number,
): Linked {
  const newest = useView(newestOf);
  const before = seq !== undefined && !held && amount > 0 && seq <= newest;
  const { data } = useQuery({
    queryKey: ["event", seq],
    queryFn: ({ signal }) => readEvent(seq ?? 0, signal),
    enabled: before,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (held) return { event: held, words: null };
  if (seq === undefined || !amount) return { event: null, words: null };
  if (!before) return { event: null, words: `There is no event ${seq} yet.` };
  if (data) {
    const words = `Event ${seq} is older than the ${amount} that stand here; it is shown by itself.`;
    return { event: data, words };
  }
  return {
    event: null,
    words: data === null ? `Event ${seq} is not kept any more.` : `Reading event ${seq} …`,
  };
}
