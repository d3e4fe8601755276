/** A process that holds the lease or waits for it, as others may read it. */
export interface LeaseHolder {
  /** Differs at each start of a process. */
  readonly id: string;
  readonly node: string;
  readonly pid: number;
  /** Which data directory it works on; two processes on one directory say the same. */
  readonly index: string;
}

/**
 * What the last holder wrote, by its own account: an index that has this has what was written
 * until then, and one that was put back from before has not.
 */
export interface IndexMark {
  /** Which data directory it worked on, as `LeaseHolder.index` says it. */
  readonly index: string;
  /** The mark of its term, drawn at random; empty while no holder has written its term yet. */
  readonly term: string;
  /** Number of an entry of the ledger, and what tells it from others of that number. */
  readonly entry: number;
  readonly check: string;
  /** The mark of a term that is about to be written, where `term` is empty. */
  readonly next?: string;
}

/** The mark in a store of which no holder has written anything since it has a record. */
export const unwrittenMark: IndexMark = { index: "", term: "", entry: -1, check: "" };

/** What the text of a holder has whose version notes marks. */
export const notesMarks = '"marks":true';

/** A holder as a store keeps it. */
export function holderText(holder: LeaseHolder): string {
  return JSON.stringify({ ...holder, marks: true });
}

export function parseHolder(text: string): LeaseHolder {
  const { id, node, pid, index } = JSON.parse(text) as LeaseHolder;
  return { id, node, pid, index };
}

/** The lease as the queue store has it. */
export interface LeaseRecord {
  /** Grows with every change of the holder, and never shrinks; 0 before the first one. */
  readonly epoch: number;
  /** Who holds it, or held it last. */
  readonly holder: LeaseHolder | undefined;
  /** Until it is free, on the clock of the store; 0 when it is free. */
  readonly remainingMs: number;
}

export interface LeaseRequest {
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  /** An epoch known from elsewhere: the new one is above it, even if the store lost its own. */
  readonly floor?: number;
  /** Take the lease from the holder of this epoch, who is known to be dead. */
  readonly takeFrom?: number;
}

/**
 * The lease of the one active controller, kept in the queue store. Each call is one atomic step
 * there, on the clock of the store. A call that fails may have happened nevertheless.
 */
export interface LeaseStore {
  read(): Promise<LeaseRecord>;
  /**
   * Grants the lease under a new epoch when it is free, or held by nobody but the asker. The first
   * record of a store comes with `unwrittenMark`. What was noted before a holder of an older
   * version, which notes nothing, is forgotten: that one may have written what comes after it.
   */
  acquire(request: LeaseRequest): Promise<LeaseRecord & { readonly granted: boolean }>;
  /**
   * Prolongs the lease of that holder and epoch; false when somebody else took it since. A store
   * that lost its record gets it again. A mark takes the place of the one that was noted before,
   * in the same step.
   */
  renew(holder: LeaseHolder, epoch: number, ttlMs: number, mark?: IndexMark): Promise<boolean>;
  /**
   * The mark that was noted last; whoever took the lease since has not touched it. Undefined in a
   * store that only older versions wrote.
   */
  mark(): Promise<IndexMark | undefined>;
  /** Frees it at once, if it is still that holder's. The epoch is kept. */
  release(holder: LeaseHolder, epoch: number): Promise<void>;
  /** Tells others that this process waits for the lease; forgotten after `ttlMs`. */
  announce(holder: LeaseHolder, ttlMs: number): Promise<void>;
  withdraw(holder: LeaseHolder): Promise<void>;
  /** Who announced itself and is not forgotten yet. */
  waiting(): Promise<readonly LeaseHolder[]>;
  /** The installation that the queues belong to; undefined before the first one. */
  owner(): Promise<string | undefined>;
  /** Makes them belong to this installation, unless they have an owner; says who owns them. */
  claim(installation: string): Promise<string>;
  close(): Promise<void>;
}
