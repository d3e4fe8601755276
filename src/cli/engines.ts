import type { Config } from "#config.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { Role } from "#model/node.ts";
import type { ReadingApi, SnapshotApi } from "#model/snapshot-api.ts";
import type { CommandIo } from "#cli/command-io.ts";

/** The ways in which the command line starts engines; tests bring their own. */
export interface Engines {
  /** All roles in this process, for the length of a command, reachable from nowhere else. */
  local(config: Config, io: CommandIo): Promise<LocalEngine>;
  /** Answers from snapshots for the length of a command; opens no index, and makes none. */
  snapshots(config: Config, io: CommandIo): Promise<LocalSnapshots>;
  /** A node that stays until it is closed; a controller serves the HTTP API. */
  node(config: Config, io: CommandIo, start: NodeStart): Promise<RunningNode>;
}

export interface NodeStart {
  readonly roles: readonly Role[];
  /** Waits as standby while another controller is active, instead of giving up. */
  readonly standby: boolean;
}

export interface LocalEngine {
  readonly api: EngineApi;
  close(): Promise<void>;
}

export interface LocalSnapshots {
  readonly api: SnapshotApi & ReadingApi;
  close(): Promise<void>;
}

export interface RunningNode {
  /** Where its API answers; undefined for a node that is no controller. */
  readonly address: string | undefined;
  /** Aborted, with the error as its reason, when the node can no longer do its work and must end. */
  readonly ended?: AbortSignal;
  /** Lets what runs come to a checkpoint, then ends. */
  close(): Promise<void>;
}
