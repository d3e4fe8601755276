/** Who leads an installation, and what stands ready to take over. */
export interface LeaderState {
  readonly node: string;
  readonly pid: number;
  /** Of the lease: grows with every controller that takes over. */
  readonly epoch: number;
  /** ISO 8601 UTC. */
  readonly since: string;
  /** Controllers that wait for their turn. */
  readonly standbys: readonly { readonly node: string; readonly pid: number }[];
  /**
   * Until then (ISO 8601 UTC) no copy is given up and no open permit settled: permits of earlier
   * controllers, or from before the clock went forward, may be in use.
   */
  readonly removalsFrom: string | undefined;
  /** How far the clock of the controller went forward, where removals wait for that. */
  readonly clockStepMs: number | undefined;
  /** Undefined without `standby.directory`. */
  readonly published: PublishedIndex | undefined;
}

/** The newest copy of the index that a standby on another data directory can take. */
export interface PublishedIndex {
  readonly directory: string;
  readonly cid: string;
  readonly bytes: number;
  readonly publishedAt: string;
  /** What it took to copy, hash and write it. */
  readonly tookMs: number;
  /** The pause before the next one: what was configured, or longer where it takes long. */
  readonly everyMs: number;
  /** Why the last try to publish failed; undefined when it did not. */
  readonly failure: string | undefined;
}
