/** sub_agent.*: who works for the Grow Agent, and how it goes. */
import type { Edit } from "../edit";
import { ENDED, type SubAgent, type Turn } from "../view";
import type { Event } from "../wire";

export function told(edit: Edit, event: Event): void {
  const verb = event.type.slice("sub_agent.".length);
  if (verb === "spawned") {
    spawned(edit, event);
    return;
  }
  const agent = ofThread(edit, event.thread_id);
  if (!agent) return; // older than what this page has seen: the snapshot tells of it
  agent.seq = event.seq;
  if (verb === "stopped") agent.state = "stopped";
  if (verb === "started") {
    // A successor starts the same task anew: its time goes on.
    const goesOn = agent.startedAt !== null && agent.endedAt === null;
    if (!goesOn) agent.startedAt = event.time;
    Object.assign(agent, { endedAt: null, outcome: null, error: null });
    agent.turnId = event.turn_id;
    agent.progress = null;
  }
  if (verb === "progress") {
    agent.progress = event.data.text ?? agent.progress;
    agent.progressAt = event.time;
  }
  if (verb === "completed" || verb === "failed") {
    agent.outcome = verb;
    agent.endedAt = event.time;
    agent.error = event.data.error?.message ?? null;
  }
}

function spawned(edit: Edit, event: Event): void {
  const { data, thread_id: threadId } = event;
  if (!threadId) return;
  const agents = edit.at(edit.view, "subAgents");
  if (!agents[data.sub_agent_id]) {
    agents[data.sub_agent_id] = newSubAgent(data.sub_agent_id, data.type, threadId, event.time);
  }
  const agent = edit.at(agents, data.sub_agent_id) as SubAgent;
  agent.channelId = data.channel_id;
  agent.parent = event.actor;
  const thread = edit.entry(edit.at(edit.view, "threads"), threadId);
  if (thread) Object.assign(thread, { kind: "channel", title: data.channel_id });
  if (thread) thread.subAgentId = data.sub_agent_id;
}

/** The state of a sub-agent is that of the turn it works on; those that are queued come later. */
export function follow(edit: Edit, turn: Turn, time: string): void {
  const agent = ofThread(edit, turn.threadId);
  if (!agent || agent.state === "stopped") return;
  if (ENDED.has(turn.state)) {
    agent.state = "idle";
    agent.endedAt = time;
  } else if (turn.state !== "queued" || agent.state === "idle") {
    agent.state = turn.state === "waiting" ? "waiting" : "working";
    agent.turnId = turn.id;
  }
}

export function ofThread(edit: Edit, threadId: string | null): SubAgent | null {
  const id = threadId && edit.view.threads[threadId]?.subAgentId;
  return id ? edit.entry(edit.at(edit.view, "subAgents"), id) : null;
}

export function newSubAgent(id: string, type: string, threadId: string, time: string): SubAgent {
  return {
    id,
    type,
    threadId,
    channelId: "",
    state: "idle",
    createdAt: time,
    turnId: null,
    startedAt: null,
    endedAt: null,
    progress: null,
    progressAt: null,
    outcome: null,
    error: null,
    parent: null,
    seq: 0,
  };
}
