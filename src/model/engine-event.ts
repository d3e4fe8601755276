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

const types: Readonly<Record<EngineEventType, true>> = {
  "copy-lost": true,
  "object-added": true,
  "backend-added": true,
  "run-ended": true,
};
export const engineEventTypes = Object.keys(types) as readonly EngineEventType[];

/** An event as those outside hear it. After `reset` the state has to be read anew. */
export interface ToldEvent {
  /** Its place in the order of events, until the controller is started again. */
  readonly id: string;
  readonly at: string;
  readonly event: EngineEvent | { readonly type: "reset" };
}

/** Events that may start a policy. */
export const triggerEvents = [
  "copy-lost",
  "object-added",
  "backend-added",
] as const satisfies readonly EngineEventType[];
export type TriggerEvent = (typeof triggerEvents)[number];
