import type { TriggerEvent } from "#model/engine-event.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { Pace } from "#policies/timing/pace.ts";
import type { Schedule } from "#policies/timing/schedule.ts";
import type { UsageMarks } from "#policies/timing/usage-mark.ts";
import type { Windows } from "#policies/timing/windows.ts";

/** When a policy runs: by its schedule, by what happens, and within which hours. */
export interface PolicyTiming {
  /** IANA name: the zone of schedule and windows. */
  readonly zone: string;
  readonly schedule: Schedule | undefined;
  readonly triggers: readonly Trigger[];
  readonly windows: Windows | undefined;
  /** How fast it acts, where its limits say. */
  readonly pace?: Pace;
}

/** What makes a policy run besides its schedule. */
export type Trigger = (
  | ({ readonly kind: "usage"; readonly backend: string } & UsageMarks)
  | { readonly kind: "event"; readonly event: TriggerEvent }
) & {
  /** The most that one plan does that it starts. */
  readonly limits?: PlanLimits;
};

/** `usage hot above 85%`: how runs and reports name a trigger. */
export function triggerName(trigger: Trigger): string {
  if (trigger.kind === "event") return trigger.event;
  return `usage ${trigger.backend} above ${Number((trigger.above * 100).toFixed(4))}%`;
}
