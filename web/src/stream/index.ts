/** The stream as pages see it. */
export type { Phase } from "./connection";
export * from "./hooks";
export { openDecisions } from "./parts/decisions";
export { textOf, thoughtOf } from "./parts/messages";
export { durationOf, toolKey } from "./parts/tools";
export { openTurns, turnUnderWay } from "./parts/turns";
export type { Line } from "./store";
export { type Entry, timeline } from "./timeline";
export * from "./view";
export type { Delta, Event } from "./wire";
