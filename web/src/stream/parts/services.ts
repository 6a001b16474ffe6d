/** service.*: the user's pair of services as their host sees them. */
import type { Edit } from "../edit";
import type { Service } from "../view";
import type { Event } from "../wire";

const NEWS = 50;

export function told(edit: Edit, event: Event): void {
  const { data } = event;
  const all = edit.at(edit.view, "services");
  const role: string = data.role ?? "opencode";
  all[role] ??= newService(role);
  const service = edit.at(all, role) as Service;
  const verb = event.type.slice("service.".length);
  const text: string | null = data.reason ?? data.why ?? null;
  if (!service.news.some((one) => one.seq === event.seq)) {
    const news = edit.at(service, "news");
    news.push({ seq: event.seq, time: event.time, state: verb, text });
    if (news.length > NEWS) news.shift();
  }
  if (event.seq <= service.seq) return; // the snapshot is newer
  service.seq = event.seq;
  if (verb === "decided") {
    service.decision = { decision: data.decision, why: data.why, by: data.by };
    return;
  }
  if (service.state !== verb) service.since = event.time;
  service.state = verb;
  service.reason = data.reason ?? null;
  service.generation = data.generation ?? service.generation;
  const wait = Number(data.retry_in ?? 0);
  service.retryAt = wait ? new Date(Date.parse(event.time) + wait * 1000).toISOString() : null;
  if (verb === "ready" || verb === "stopped") service.decision = null;
}

export function newService(role: string): Service {
  return {
    role,
    state: "absent",
    reason: null,
    retryAt: null,
    generation: 0,
    decision: null,
    since: null,
    news: [],
    seq: 0,
  };
}
