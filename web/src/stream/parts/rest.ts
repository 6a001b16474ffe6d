/** memory.*, timer.*, thread.* and what every event does: ring, cursor, the thread it belongs to. */
import type { Edit } from "../edit";
import type { Event } from "../wire";

const COMMITS = 500;

export function committed(edit: Edit, event: Event): void {
  const { path, commit, number } = event.data;
  const commits = edit.at(edit.view, "commits");
  commits.unshift({ path, commit, number, time: event.time, seq: event.seq });
  if (commits.length > COMMITS) commits.length = COMMITS;
}

export function timer(edit: Edit, event: Event): void {
  const { timer_id: id, text, due } = event.data;
  const timers = edit.at(edit.view, "timers");
  if (event.type === "timer.set") {
    timers[id] = { id, threadId: event.thread_id, text, due: due ?? null, seq: event.seq };
  } else {
    delete timers[id];
  }
}

export function changed(edit: Edit, event: Event): void {
  const { title, archived = false } = event.data; // a new one is not put away
  const thread = event.thread_id && edit.entry(edit.at(edit.view, "threads"), event.thread_id);
  if (!thread || event.seq <= thread.changedSeq) return;
  Object.assign(thread, { title, archived, changedSeq: event.seq });
}

export function touch(edit: Edit, event: Event): void {
  edit.view.seq = event.seq;
  edit.at(edit.view, "events").push(event);
  const { thread_id: id, time } = event;
  if (!id) return;
  const threads = edit.at(edit.view, "threads");
  threads[id] ??= {
    id,
    kind: "thread",
    archived: false,
    changedSeq: 0,
    title: "", // named by the list of threads, which is read again where it lacks one
    createdAt: time,
    lastSeq: 0,
    lastAt: time,
    preview: "",
    subAgentId: null,
  };
  const thread = edit.entry(threads, id);
  if (thread && event.seq > thread.lastSeq)
    Object.assign(thread, { lastSeq: event.seq, lastAt: time });
}
