import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import type { Policy } from "#policies/policy.ts";
import { upcoming } from "#policies/timing/occurrences.ts";

/** So many next occurrences are looked at: a week of hours, a year of working days. */
const occurrencesSeen = 200;

/**
 * Policies that start at the same moment and take copies from, or put copies on, the same
 * backends: their runs are in each other's way, and each counts on what the other changes.
 */
export function meetingSchedules(rules: readonly BoundRule[], now: Date): readonly Diagnostic[] {
  const policies = [...new Set(rules.map(({ policy }) => policy))];
  const starts = new Map(policies.map((policy) => [policy, startsOf(policy, now)]));
  const touched = new Map(policies.map((policy) => [policy, touchedBy(policy, rules)]));
  return policies.flatMap((policy, at): readonly Diagnostic[] => {
    const own = starts.get(policy) ?? [];
    const other = policies.slice(0, at).find((earlier) => {
      const shared = (touched.get(policy) ?? 0n) & (touched.get(earlier) ?? 0n);
      return shared !== 0n && (starts.get(earlier) ?? []).some((time) => own.includes(time));
    });
    const first = own.find((time) => other && starts.get(other)?.includes(time));
    if (other === undefined || first === undefined) return [];
    const { places } = policy;
    const message =
      `policies "${other.name}" and "${policy.name}" start at the same moment ` +
      `(${new Date(first).toISOString()}) and move copies of the same backends`;
    const hint = "give one another time or a jitter:, or make them one policy";
    const finding = { severity: "warning", code: "W0418", message, hint } as const;
    return [places.diagnostic(places.value(["schedule"]), finding)];
  });
}

/** With jitter the occurrences of a policy are spread, as its author wants. */
function startsOf({ timing: { schedule } }: Policy, now: Date): readonly number[] {
  if (schedule === undefined || schedule.jitterMs > 0) return [];
  return upcoming(schedule, now, occurrencesSeen).map((time) => time.getTime());
}

function touchedBy(policy: Policy, rules: readonly BoundRule[]): bigint {
  return rules
    .filter((bound) => bound.policy === policy)
    .reduce((mask, { compiled }) => mask | moved(compiled.verb), 0n);
}

/** Backends whose copies a rule moves; added copies and deletions are in nobody's way. */
function moved(verb: CompiledVerb): bigint {
  if (verb.kind === "evict") return verb.from;
  return verb.kind === "demote" || verb.kind === "promote" ? verb.from | verb.to : 0n;
}
