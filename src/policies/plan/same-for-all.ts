import type { CompiledRule } from "#policies/compiled-policy.ts";
import { groupRules } from "#policies/plan/group.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { bitCount } from "#policies/plan/mask-sql.ts";

/** Columns of candidates that these rules make nothing of, with the value that stands for all. */
export function sameForAll(
  rules: readonly CompiledRule[],
  { isStuck, isLocked }: { readonly isStuck: boolean; readonly isLocked: boolean },
): ReadonlyMap<string, string> {
  const verbs = new Set(rules.map(({ verb }) => verb.kind));
  const columns: readonly (readonly [string, string, boolean])[] = [
    ["stuck_copies", "0::BIGINT", !isStuck],
    ["stuck_removals", "0::BIGINT", !isStuck],
    ["locked", "0::BIGINT", !isLocked],
    ["leased", "0::BIGINT", leaseRules(rules).length === 0],
    ["collection", "NULL::VARCHAR", groupRules(rules).length === 0],
    ["place", "NULL::BIGINT", !hasChoice(rules)],
    ["tombstoned", "NULL::TIMESTAMP", !verbs.has("delete") && !verbs.has("run")],
    ["deletion", "NULL::VARCHAR", !verbs.has("delete")],
  ];
  return new Map(columns.flatMap(([name, value, same]) => (same ? [[name, value]] : [])));
}

/** Whether rules may put a copy on one of several backends, which the place of an object decides. */
export function hasChoice(rules: readonly CompiledRule[]): boolean {
  const targets = rules.reduce((mask, { verb }) => {
    if (verb.kind === "ensure") return mask | verb.on;
    return verb.kind === "demote" || verb.kind === "promote" ? mask | verb.to : mask;
  }, 0n);
  return bitCount(targets) > 1;
}
