import type { Diagnostic } from "#model/diagnostic.ts";
import { formatSize } from "#model/quantity.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import { lintFinding } from "#policies/lint-finding.ts";
import { valueBounds } from "#policies/value-bounds.ts";

/** A limit that the first object already goes beyond: the rule can never act. */
export function unreachableLimit(bound: BoundRule, now: Date): readonly Diagnostic[] {
  const { where, limit, name } = bound.rule;
  if (limit.objects === 0) {
    const message = `rule "${name}" can never act: its limit is no object at all`;
    const hint = "raise limit.objects, or remove the rule";
    return [lintFinding(bound, "W0416", ["limit", "objects"], message, hint)];
  }
  const size = valueBounds(where, now).get("size");
  if (limit.bytes === undefined || size === undefined) return [];
  const isBeyond = size.min > limit.bytes || (size.min === limit.bytes && size.minOpen);
  if (!isBeyond) return [];
  const [allowed, smallest] = [formatSize(limit.bytes), formatSize(size.min)];
  const message =
    `rule "${name}" can never act: its limit of ${allowed} is below the smallest object ` +
    `that it selects (${smallest})`;
  const hint = "raise limit.bytes, or let where: select smaller objects";
  return [lintFinding(bound, "W0416", ["limit", "bytes"], message, hint)];
}
