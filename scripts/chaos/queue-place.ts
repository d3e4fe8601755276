import type { TcpProxy } from "./tcp-proxy.ts";

export const queueKinds = ["redis", "postgres", "embedded"] as const;
export type QueueKind = (typeof queueKinds)[number];

/** The queue store of a chaos run: a real server that can be stopped, killed and emptied. */
export interface QueuePlace {
  readonly kind: QueueKind;
  /** What nodes connect to, through `link`; undefined: they start the server themselves. */
  readonly url: string | undefined;
  /** The wire between the nodes and the server, where there is one. */
  readonly link: TcpProxy | undefined;
  /** Past the wire, for our own look at the queues; undefined while nobody serves. */
  directUrl(): Promise<string | undefined>;
  start(): Promise<void>;
  /** `kill`: at once (kill -9); `clean`: as an operator stops it. */
  stop(how: "kill" | "clean"): Promise<void>;
  /** Loses everything in it. */
  loseData(): Promise<void>;
  close(): Promise<void>;
  /** Ends the server at once, for a process that has no time left to wait. */
  abandon(): void;
}
