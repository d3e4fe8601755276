import type { TcpProxy } from "./tcp-proxy.ts";

/** A real server that nodes talk to, which can be stopped, killed and cut off. */
export interface ServerPlace {
  /** The wire between the nodes and the server, where there is one. */
  readonly link: TcpProxy | undefined;
  start(): Promise<void>;
  /** `kill`: at once (kill -9); `clean`: as an operator stops it. */
  stop(how: "kill" | "clean"): Promise<void>;
  close(): Promise<void>;
  /** Ends the server at once, for a process that has no time left to wait. */
  abandon(): void;
}
