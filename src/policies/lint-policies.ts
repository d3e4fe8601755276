import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { CompiledVerb, Moment } from "#policies/compiled-policy.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { implies } from "#policies/implies.ts";
import { lintFinding } from "#policies/lint-finding.ts";
import { contradictingEnsures } from "#policies/lints/contradicting-ensures.ts";
import { heldBackStep } from "#policies/lints/held-back-step.ts";
import { meetingSchedules } from "#policies/lints/meeting-schedules.ts";
import { unreachableLimit } from "#policies/lints/unreachable-limit.ts";
import { bitOf } from "#policies/plan/mask-sql.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { unprotectedUnknowns } from "#policies/unprotected-unknowns.ts";
import { conjuncts, isEmpty, valueBounds } from "#policies/value-bounds.ts";

/** Advice on rules that are sound each by themselves, but hardly what their author wants. */
export function lintPolicies(rules: readonly BoundRule[], moment: Moment): readonly Diagnostic[] {
  const ofRules = rules.flatMap((bound, position) => [
    ...neverMatches(bound, moment.now),
    ...shadowed(bound, rules.slice(0, position), rules, moment.now),
    ...withoutBand(bound, rules, moment.now),
    ...leavesNothing(bound, rules, moment),
    ...hastyDeletion(bound),
    ...gapsInProtection(bound),
    ...unreachableLimit(bound, moment.now),
    ...contradictingEnsures(bound, rules, moment.now),
    ...heldBackStep(bound, rules, moment.now),
  ]);
  return [...ofRules, ...meetingSchedules(rules, moment.now)];
}

const dayMs = 86_400_000;

function neverMatches(bound: BoundRule, now: Date): readonly Diagnostic[] {
  const { where, name } = bound.rule;
  const isFalse = conjuncts(where).some(
    (part) => isConstant(part) && evaluate(part, now, undefined) !== true,
  );
  const empty = [...valueBounds(where, now)].find(([, interval]) => isEmpty(interval));
  if (!isFalse && empty === undefined) return [];
  const message =
    empty === undefined
      ? `rule "${name}" can never match: its condition is false`
      : `rule "${name}" can never match: no value of ${empty[0]} fits all its conditions`;
  return [
    lintFinding(
      bound,
      "W0402",
      ["where"],
      message,
      "correct the contradiction, or remove the rule",
    ),
  ];
}

/** Only what is certain: an earlier rule selects at least the same and takes at least as much. */
function shadowed(
  bound: BoundRule,
  earlier: readonly BoundRule[],
  all: readonly BoundRule[],
  now: Date,
): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  if (neverLoses.has(verb.kind)) return [];
  const winner = [
    ...all.filter((other) => other.compiled.verb.kind === "hold"),
    ...earlier.filter((other) => takesAll(other, verb)),
  ].find((other) => implies(bound.rule.where, other.rule.where, now));
  if (winner === undefined) return [];
  const { id, place } = winner.compiled;
  const message = `rule "${bound.rule.name}" never acts: "${id}" (${place}) wins for all its objects`;
  return [
    lintFinding(bound, "W0403", ["where"], message, "put it first, narrow the other, or remove it"),
  ];
}

/** Verbs that no other rule keeps from acting. */
const neverLoses: ReadonlySet<CompiledVerb["kind"]> = new Set(["hold", "ensure", "promote", "run"]);

function takesAll(other: BoundRule, verb: CompiledVerb): boolean {
  const { verb: winner, limit } = other.compiled;
  if (limit.objects !== undefined || limit.bytes !== undefined) return false;
  if ((winner.kind === "evict" || winner.kind === "demote") && isBounded(winner)) return false;
  if (winner.kind === "delete" && verb.kind === "delete") return true;
  if (winner.kind !== verb.kind || !("from" in winner) || !("from" in verb)) return false;
  return (verb.from & ~winner.from) === 0n;
}

/** Demotion and promotion between the same backends need thresholds that lie apart. */
function withoutBand(
  bound: BoundRule,
  all: readonly BoundRule[],
  now: Date,
): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  if (verb.kind !== "promote") return [];
  const down = valueBoundsOf(now);
  const up = valueBounds(bound.rule.where, now);
  return all.flatMap((other) => {
    const { verb: opposite } = other.compiled;
    if (opposite.kind !== "demote" && opposite.kind !== "evict") return [];
    if ((opposite.from & verb.to) === 0n) return [];
    const shared = [...down(other.rule.where)].flatMap(([name, low]) => {
      const high = up.get(name);
      return high === undefined
        ? []
        : [{ name, isApart: low.max < high.min || high.max < low.min }];
    });
    if (shared.some(({ isApart }) => isApart)) return [];
    const [attribute] = shared;
    const message =
      `rule "${bound.rule.name}" and ${opposite.kind} rule "${other.compiled.id}" leave no band ` +
      "between them: objects may move back and forth";
    const hint =
      attribute === undefined
        ? "give both a bound on one attribute, apart: heat < 0.5 down, heat >= 2 up"
        : `put the bounds on ${attribute.name} apart, as in heat < 0.5 down, heat >= 2 up`;
    return [lintFinding(bound, "W0404", ["where"], message, hint)];
  });
}

function valueBoundsOf(now: Date) {
  return (condition: Expression) => valueBounds(condition, now);
}

function leavesNothing(
  bound: BoundRule,
  all: readonly BoundRule[],
  { backends }: Moment,
): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  const { name, where } = bound.rule;
  if (
    verb.kind === "delete" &&
    isConstant(where) &&
    where.kind === "literal" &&
    where.value === true
  ) {
    const message = `rule "${name}" deletes every object there is`;
    return [lintFinding(bound, "W0405", ["where"], message, "say which objects: class scratch")];
  }
  if (verb.kind !== "evict") return [];
  const elsewhere = backends.some((backend) => (verb.from & bitOf(backend.id)) === 0n);
  if (elsewhere || backends.length === 0) return [];
  const kept = all.some(({ compiled }) => compiled.verb.kind === "ensure");
  const message = `rule "${name}" evicts from every backend, so that no copy would survive`;
  const hint = kept
    ? "copies that an ensure rule needs stay; name the backends that shall be empty"
    : "the last verified copies stay in any case; use delete: to remove objects";
  return [lintFinding(bound, "W0405", ["evict", "from"], message, hint)];
}

function hastyDeletion(bound: BoundRule): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  if (verb.kind !== "delete" || verb.graceMs >= dayMs) return [];
  const message = `rule "${bound.rule.name}" deletes after less than a day of grace`;
  return [
    lintFinding(bound, "W0409", ["delete"], message, "a mistake is noticed in days: grace: 7d"),
  ];
}

function gapsInProtection(bound: BoundRule): readonly Diagnostic[] {
  const { kind } = bound.compiled.verb;
  if (kind !== "hold" && kind !== "ensure") return [];
  return unprotectedUnknowns(bound.rule.where).map((name) => {
    const message = `rule "${bound.rule.name}" does not protect objects whose ${name} is unknown`;
    const hint = `what is unknown satisfies no negation either: add "or missing(${name})"`;
    return lintFinding(bound, "W0412", ["where"], message, hint);
  });
}
