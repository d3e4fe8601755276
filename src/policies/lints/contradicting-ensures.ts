import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import { implies } from "#policies/implies.ts";
import { lintFinding } from "#policies/lint-finding.ts";

/**
 * More copies wanted than another rule allows for the same objects: the copies that one adds are
 * too many for the other, which cannot give them up.
 */
export function contradictingEnsures(
  bound: BoundRule,
  all: readonly BoundRule[],
  now: Date,
): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  if (verb.kind !== "ensure") return [];
  const { min } = verb.copies;
  return all.flatMap((other): readonly Diagnostic[] => {
    const { verb: wider } = other.compiled;
    if (other === bound || wider.kind !== "ensure" || wider.copies.max === undefined) return [];
    const isWithin = (verb.on & ~wider.on) === 0n;
    if (!isWithin || wider.copies.max >= min) return [];
    if (!implies(bound.rule.where, other.rule.where, now)) return [];
    const { id, place } = other.compiled;
    const message =
      `rule "${bound.rule.name}" wants ${min} copies where "${id}" (${place}) allows ` +
      `${wider.copies.max}: both cannot be satisfied`;
    const hint = "raise the range of the other rule, or let the two select different objects";
    return [lintFinding(bound, "W0417", ["ensure", "copies"], message, hint)];
  });
}
