/** Who made whom. */
import type { SubAgent } from "@/stream";

export interface Branch {
  agent: SubAgent;
  made: Branch[];
}

export type Maker = { kind: "grow_agent" | "user" | "unknown" } | { kind: "sub_agent"; id: string };

/** Sub-agents of one maker that is none itself. */
export interface Root {
  maker: Maker;
  made: Branch[];
}

const SUB_AGENT = /^sub-agent:[^:]+:([^#]+)/;

/** Whom an actor's name means: `grow-agent:<user>`, `sub-agent:<user>:<id>` or a user's id. */
export function makerOf(actor: string | null): Maker {
  if (!actor) return { kind: "unknown" };
  if (actor.startsWith("grow-agent:")) return { kind: "grow_agent" };
  const id = SUB_AGENT.exec(actor)?.[1];
  return id ? { kind: "sub_agent", id } : { kind: "user" };
}

export function nameOf(maker: Maker): string {
  if (maker.kind === "sub_agent") return maker.id;
  return { grow_agent: "Grow Agent", user: "you", unknown: "nobody knows whom" }[maker.kind];
}

/** Trees by who made their first; those that are stopped come last, the newest first of the rest. */
export function treesOf(agents: SubAgent[]): Root[] {
  const branches = new Map(agents.map((agent) => [agent.id, { agent, made: [] as Branch[] }]));
  const roots = new Map<string, Root>();
  for (const branch of [...branches.values()].sort(byUse)) {
    const maker = makerOf(branch.agent.parent);
    const above = maker.kind === "sub_agent" ? branches.get(maker.id) : undefined;
    if (above && above !== branch) {
      above.made.push(branch);
      continue;
    }
    const root = roots.get(nameOf(maker)) ?? { maker, made: [] };
    roots.set(nameOf(maker), root);
    root.made.push(branch);
  }
  return [...roots.values()].sort((a, b) => rank(a.maker) - rank(b.maker));
}

function byUse(a: Branch, b: Branch): number {
  const over = (branch: Branch) => Number(branch.agent.state === "stopped");
  return over(a) - over(b) || b.agent.createdAt.localeCompare(a.agent.createdAt);
}

const RANKS = ["grow_agent", "user", "sub_agent", "unknown"];

function rank(maker: Maker): number {
  return RANKS.indexOf(maker.kind);
}
