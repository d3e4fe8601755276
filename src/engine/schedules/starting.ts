import type { StartPolicy } from "#engine/schedules/start-policy.ts";
import type { Turns } from "#engine/schedules/turns.ts";
import type { PolicyTimings } from "#engine/timing-book.ts";
import type { StarterLog } from "#index/starters/starter-log.ts";
import type { Suspension } from "#model/failure.ts";
import type { Run } from "#model/run.ts";
import type { StarterState } from "#model/starter.ts";

/** What schedules and triggers need to start policies. */
export interface Starting {
  readonly starters: Pick<StarterLog, "all" | "put" | "forget">;
  readonly timings: () => Promise<PolicyTimings | undefined>;
  readonly runs: () => Promise<readonly Run[]>;
  /** Policies that may not act, because too much of what they did failed. */
  readonly suspensions: () => Promise<readonly Suspension[]>;
  readonly start: StartPolicy;
  readonly now: () => Date;
  /** Shared, so that a schedule and a trigger never start one policy at once. */
  readonly turns: Turns;
}

/** The name under which the state of a schedule is kept; triggers have other names. */
export const scheduleStarter = "schedule";

/** What a run that a schedule started says of its origin. */
export function scheduleOrigin(policy: string): string {
  return `schedule ${policy}`;
}

/** The same of a trigger: `trigger cool-down: usage hot above 85%`. */
export function triggerOrigin(policy: string, trigger: string): string {
  return `${triggerPrefix(policy)}${trigger}`;
}

/** The run of a policy that started by itself and has not ended. */
export function activeRun(runs: readonly Run[], policy: string): Run | undefined {
  return runs.find(
    ({ origin, endedAt }) =>
      endedAt === undefined &&
      (origin === scheduleOrigin(policy) || origin.startsWith(triggerPrefix(policy))),
  );
}

/** States by policy and starter. */
export async function starterStates(
  starters: Pick<StarterLog, "all">,
): Promise<ReadonlyMap<string, StarterState>> {
  const all = await starters.all();
  return new Map(all.map(({ policy, name, state }) => [starterKey(policy, name), state]));
}

/** One starter of one policy, as a key. */
export function starterKey(policy: string, name: string): string {
  return `${policy}\n${name}`;
}

/** Why a policy may not start now. */
export async function suspensionOf(
  { suspensions }: Pick<Starting, "suspensions">,
  policy: string,
): Promise<string | undefined> {
  const suspension = (await suspensions()).find((one) => one.policy === policy);
  if (suspension === undefined) return undefined;
  const { since, message } = suspension;
  return `${policy} is suspended since ${since}: ${message}; thermocline suspensions release ${policy} --reason …`;
}

function triggerPrefix(policy: string): string {
  return `trigger ${policy}: `;
}
