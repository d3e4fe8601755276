import type { Run } from "#model/run.ts";

/**
 * What has just become true in the index, told once the transaction behind it is stored. Policies
 * may be triggered by these; repairs are opened by the first.
 */
export type EngineEvent =
  /** Copies that were believed present were found absent or corrupt. */
  | { readonly type: "copy-lost"; readonly backend: string; readonly objects: number }
  | { readonly type: "object-added"; readonly objects: number }
  | { readonly type: "backend-added"; readonly backend: string }
  | { readonly type: "run-ended"; readonly run: Run };

export type EngineEventType = EngineEvent["type"];
