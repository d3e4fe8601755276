import { maskOf, noBackends } from "#policies/plan/mask-sql.ts";
import { matched, rulesOf } from "#policies/plan/match-words.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { joinFragments, sql, type SqlFragment } from "#policies/sql-fragment.ts";

/** Backends whose driver can remove copies. */
export function removableMask({ backends }: Planning): bigint {
  return maskOf(backends.filter(({ capabilities }) => capabilities.operations.includes("remove")));
}

/**
 * Backends of a candidate whose copy an evict or demote rule before this one (or any of them) has
 * claimed: per object and backend the first matching rule decides, whether or not it could act.
 * Rules that free only as much as is needed claim nothing.
 */
export function claimedBefore({ rules }: Planning, rule: number = rules.length): SqlFragment {
  const earlier = rulesOf(rules, "evict", "demote")
    .filter(({ index, verb }) => index < rule && !isBounded(verb))
    .map(
      ({ index, verb }) => sql`CASE WHEN ${matched(index)} THEN ${maskSql(verb.from)} ELSE 0 END`,
    );
  return earlier.length === 0 ? noBackends : sql`(${joinFragments(earlier, " | ")})`;
}
