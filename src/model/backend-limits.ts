import type { BandwidthTimetable } from "#model/bandwidth.ts";

/** How hard one backend may be worked, by all nodes together unless it says otherwise. */
export interface BackendLimits {
  /** Batches that may be worked on at the same time. */
  readonly concurrency: number;
  /** Batches that one node may work on at the same time. */
  readonly perNode: number;
  readonly requestsPerSecond: number | undefined;
  readonly bandwidth: BandwidthTimetable | undefined;
  /** IANA time zone in which the timetable is read; undefined is the controller's own. */
  readonly timeZone: string | undefined;
}

/** How hard one node may work, whatever the backends allow. */
export interface NodeLimits {
  readonly concurrency: number | undefined;
  readonly bandwidth: BandwidthTimetable | undefined;
}

export const unlimitedNode: NodeLimits = { concurrency: undefined, bandwidth: undefined };

export const defaultLimits: BackendLimits = {
  concurrency: 16,
  perNode: 4,
  requestsPerSecond: undefined,
  bandwidth: undefined,
  timeZone: undefined,
};

/** Limits of a backend that a person set while the engine runs, as they were written. */
export interface LimitOverride {
  readonly backend: string;
  readonly concurrency?: number;
  readonly perNode?: number;
  /** `50/s`, `1000/min`, `off`. */
  readonly rate?: string;
  /** `10M`, `10M:100k`, `off`, or a timetable. */
  readonly bandwidth?: string;
  /** ISO 8601 UTC: then the configuration counts again. */
  readonly until?: string;
  readonly reason?: string;
}

/** What counts for a backend at this moment, for people. */
export interface EffectiveLimits {
  readonly backend: string;
  readonly concurrency: number;
  readonly perNode: number;
  readonly rate: string;
  /** The bandwidth in force: `10M`, `10M:100k`, `off`. */
  readonly bandwidth: string;
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  /** The whole timetable and the entry in force, when there is one. */
  readonly timetable?: string;
  readonly entry?: string;
  readonly nextChange?: { readonly at: string; readonly bandwidth: string };
  /** What was set while running; absent when the configuration alone counts. */
  readonly override?: LimitOverride;
  /** The backend asked everybody to wait until then (ISO 8601 UTC). */
  readonly heldUntil?: string;
  /** Nodes that share the limits at the moment. */
  readonly nodes: readonly string[];
}

/** What a node tells the controller about its use of limits, about once a second. */
export interface ShareRequest {
  readonly node: string;
  readonly backends: readonly BackendUse[];
}

export interface BackendUse {
  readonly backend: string;
  /** False when the node did nothing there lately and needs no share. */
  readonly active: boolean;
  readonly upload: LimitUse;
  readonly download: LimitUse;
  readonly requests: LimitUse;
  /** The backend asked this node to wait for so long from now. */
  readonly holdMs?: number;
}

export interface LimitUse {
  /** What the node could use per second; null when its work waits for more. */
  readonly wanted: number | null;
  /** The share it has, if it has one. */
  readonly holding?: number;
}

/** The part of a backend's limits that one node may use; what is absent is not limited. */
export interface BackendShare {
  readonly backend: string;
  readonly perNode: number;
  readonly upload?: number;
  readonly download?: number;
  readonly requests?: number;
  readonly holdMs?: number;
}
