import type { Explanation } from "#model/explanation.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { type Clause, type Test, testsIn, truthOf } from "#policies/explain/clause.ts";
import type { FoundLock } from "#policies/explain/lock-words.ts";
import type { Reading } from "#policies/explain/read-tests.ts";
import type { ObjectState } from "#policies/explain/rule-result.ts";
import { isUnforeseen, type TimeCourse, timeCourse } from "#policies/explain/time-course.ts";
import { rulesOf } from "#policies/plan/match-words.ts";

/** What the future is foretold from. */
export interface Forecast {
  readonly set: CompiledPolicySet;
  /** The condition of each rule, in set order. */
  readonly clauses: readonly Clause[];
  readonly readings: ReadonlyMap<Test, Reading>;
  readonly state: ObjectState;
  /** What backends lock of it. */
  readonly locks: readonly FoundLock[];
}

/**
 * The next moment at which, if nobody touches the object, a rule begins or ceases to match it
 * or a grace or a time ends. Undefined when time alone changes nothing.
 */
export function nextChange(forecast: Forecast): Explanation["nextChange"] {
  const { set, clauses } = forecast;
  const changes = clauses.flatMap((clause, index) => {
    const change = firstTurn(clause, forecast);
    const rule = set.rules[index];
    if (change === undefined || rule === undefined) return [];
    const what = `${rule.id} ${change.to ? "will match" : "will no longer match"}`;
    return [{ ms: change.ms, what }];
  });
  const ends = [...graceEnd(forecast), ...leaseEnds(forecast), ...lockEnds(forecast)];
  const [first] = [...changes, ...ends].toSorted((a, b) => a.ms - b.ms);
  if (first === undefined) return undefined;
  const at = new Date(set.moment.now.getTime() + first.ms);
  // A heat that will cross its limit in a hundred thousand years is not worth a date.
  return Number.isNaN(at.getTime()) ? undefined : { at: at.toISOString(), what: first.what };
}

/** When the truth of a whole condition first differs from now. */
function firstTurn(
  clause: Clause,
  { set, readings }: Forecast,
): { readonly ms: number; readonly to: boolean } | undefined {
  const courses = new Map<Test, TimeCourse>();
  for (const test of testsIn(clause)) {
    const reading = readings.get(test);
    const course = reading && timeCourse(test, reading, set.moment);
    if (course !== undefined) courses.set(test, course);
  }
  const truth = (ms: number, unforeseen?: boolean) =>
    truthOf(clause, (test) => {
      const course = ms === 0 ? undefined : courses.get(test);
      if (course !== undefined) return course.at(ms);
      if (unforeseen !== undefined && isUnforeseen(test)) return unforeseen;
      return readings.get(test)?.truth ?? null;
    }) === true;
  const moments = [...courses.values()].flatMap(({ crossings }) => crossings);
  const now = truth(0);
  // What turns in ways that nobody foresees may have turned by then, or not: both must say the same.
  const ms = moments
    .toSorted((a, b) => a - b)
    .find((moment) => truth(moment, true) !== now && truth(moment, false) !== now);
  return ms === undefined ? undefined : { ms, to: !now };
}

/** When rules have had copies of the object for as long as they ask. */
function leaseEnds({ set, state }: Forecast): readonly { ms: number; what: string }[] {
  return [...state.leases.values()].flatMap(({ rule, until }) => {
    const ms = until.getTime() - set.moment.now.getTime();
    const what = `the time of ${rule.rule.id} ends: its copies may go`;
    return ms > 0 ? [{ ms, what }] : [];
  });
}

/** When backends let go of copies that a rule would give up. */
function lockEnds({ set, state, locks }: Forecast): readonly { ms: number; what: string }[] {
  const blocked = state.blocked.filter(({ reason }) => reason === "locked");
  const claimed = blocked.reduce((mask, { ruleIndex }) => mask | claims(set, ruleIndex), 0n);
  return locks.flatMap(({ backendId, backend, legalHold, until, mode }) => {
    if (legalHold || until === undefined) return [];
    if (((claimed >> BigInt(backendId)) & 1n) === 0n) return [];
    const ms = until.getTime() - set.moment.now.getTime();
    // A refusal without a time is believed for a while only.
    const what = mode === undefined ? "is asked about again" : "ends";
    return [{ ms, what: `the lock of ${backend} on its copy ${what}` }];
  });
}

/** The backends whose copies a rule may give up; -1 is all of them. */
function claims({ rules }: CompiledPolicySet, index: number): bigint {
  const verb = rules[index]?.verb;
  switch (verb?.kind) {
    case "demote":
    case "evict":
      return verb.from;
    case "ensure":
      return verb.on;
    case "promote":
      return verb.to;
    case "delete":
      return -1n;
    default:
      return 0n;
  }
}

/** The end of the grace that the winning delete rule gives. */
function graceEnd({ set, state }: Forecast): readonly { ms: number; what: string }[] {
  const waiting = state.blocked.find(({ reason }) => reason === "grace");
  const rule = rulesOf(set.rules, "delete").find(({ index }) => index === waiting?.ruleIndex);
  if (rule === undefined || state.tombstoned === undefined) return [];
  const ms = state.tombstoned.getTime() + rule.verb.graceMs - set.moment.now.getTime();
  return ms > 0 ? [{ ms, what: `the grace of ${rule.rule.id} ends: its copies may go` }] : [];
}
