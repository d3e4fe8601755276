import type { ServerPlace } from "./server-place.ts";

export const queueKinds = ["redis", "postgres", "embedded"] as const;
export type QueueKind = (typeof queueKinds)[number];

/** The queue store of a chaos run, which can also be emptied. */
export interface QueuePlace extends ServerPlace {
  readonly kind: QueueKind;
  /** What nodes connect to, through `link`; undefined: they start the server themselves. */
  readonly url: string | undefined;
  /** Past the wire, for our own look at the queues; undefined while nobody serves. */
  directUrl(): Promise<string | undefined>;
  /** Loses everything in it. */
  loseData(): Promise<void>;
}
