import type { ErrorCode } from "#model/engine-error.ts";

/** What a worker tells the controller when a whole backend, not one object, stopped its step. */
export interface OutageReport {
  readonly backend: string;
  readonly node: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** With NO_SPACE: bytes that would have been needed. */
  readonly bytes?: number;
}

/**
 * How a backend is, as its circuit says: `up`; `out`, it does not answer and its lane is held;
 * `full` or `read-only`, writes to it wait; `trial`, writes are let through to see how they fare.
 */
export const backendStates = ["up", "out", "full", "read-only", "trial"] as const;
export type BackendState = (typeof backendStates)[number];

export interface BackendHealth {
  readonly backend: string;
  readonly state: BackendState;
  /** ISO 8601 UTC. */
  readonly since: string;
  /** What it said last; undefined while it is up. */
  readonly message: string | undefined;
  /** When it is asked again (ISO 8601 UTC); undefined while it is up. */
  readonly nextProbe: string | undefined;
}
