import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import { implies } from "#policies/implies.ts";
import { lintFinding } from "#policies/lint-finding.ts";

/**
 * A step of a lifecycle that never comes: it takes copies from where another move wants one of the
 * same objects, and a move keeps the copy on its target.
 */
export function heldBackStep(
  bound: BoundRule,
  all: readonly BoundRule[],
  now: Date,
): readonly Diagnostic[] {
  const { verb } = bound.compiled;
  if (verb.kind !== "evict" && verb.kind !== "demote") return [];
  return all.flatMap((other): readonly Diagnostic[] => {
    const { verb: before } = other.compiled;
    if (other === bound || (before.kind !== "demote" && before.kind !== "promote")) return [];
    const takesAll = before.to !== 0n && (before.to & ~verb.from) === 0n;
    const onlyThere = (verb.from & ~before.to) === 0n;
    if (!takesAll || !onlyThere || !implies(bound.rule.where, other.rule.where, now)) return [];
    const { id, place } = other.compiled;
    const message =
      `rule "${bound.rule.name}" never acts: "${id}" (${place}) selects all its objects too, ` +
      "and keeps the copy that it moved there";
    const hint = "let the other end where this one begins: age > 30d and age <= 180d";
    return [lintFinding(bound, "W0419", ["where"], message, hint)];
  });
}
