import { noTargetReason, roomMask, type TargetChoice } from "#policies/plan/choose-target.ts";
import { mayGo, type RemovalState, whyKept } from "#policies/plan/copy-promise.ts";
import { copySource } from "#policies/plan/copy-source.ts";
import { backendsIn, bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, wordNames } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { claimedBefore, removableMask } from "#policies/plan/removable.ts";
import { substituteMask } from "#policies/plan/substitute-target.ts";
import { orderColumns } from "#policies/plan/take-turns.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A rule that gives up copies. */
export type RemovalRule = PlacedRule<"evict" | "demote"> & {
  /** Those that it wanted for a time that is over. */
  readonly ended?: true;
  /** On another backend than the one that the same rule was judged for before. */
  readonly further?: true;
};

/** The copies a rule wants gone, where a demote could go, and what forbids it at once. */
export function wantRemovals(
  planning: Planning,
  rule: RemovalRule,
  choice: TargetChoice,
): SqlFragment {
  const { index, verb } = rule;
  const able = maskSql(removableMask(planning));
  const isDemote = verb.kind === "demote";
  const to = maskSql(targetsOf(rule));
  const there = sql`((c.verified_mask | c.added) & ~c.removed & ${to})`;
  const claims = rule.ended
    ? sql`${trusted(`c.x${index}`)} & ~(c.removed | ${claimedBefore(planning)})`
    : sql`c.present_mask & ${maskSql(verb.from)} & ~c.removed
        & ~${claimedBefore(planning, index)}`;
  const alive = isDemote ? "c.deletion IS NULL" : "c.deletion IS DISTINCT FROM 'due'";
  const victims = sql`(${claims}) & ${able} & ~c.stuck_removals`;
  const vacant = sql`~(c.verified_mask | c.added | c.removed | c.in_flight_mask)`;
  const substitute = substituteMask(planning, rule, victims);
  const goal = sql`CASE WHEN ${there} = 0 THEN ${to} ELSE ${substitute} END
      & ${maskSql(choice.openMask)} & ${vacant}`;
  const wants = sql`SELECT c.*, c.present_mask AS present, ${victims} AS wants,
      (${claims}) & ${able} & c.stuck_removals AS stuck,
      ${there} AS counted, ${isDemote ? sql`${there} = 0` : trusted("false")} AS misses,
      ${isDemote ? goal : trusted("0::BIGINT")} AS open,
      ${maskSql(choice.cordoned)} & ${to} & ${vacant} AS cordoned,
      ${roomMask(planning, choice)} AS room, ${copySource(planning)} AS source,
      ${claimedBefore(planning)} AS avoid
    FROM plan_candidate c
    WHERE ${rule.ended ? trusted("true") : matched(index)} AND (${claims}) <> 0 AND (c.in_flight_mask & ${to}) = 0
      AND ${trusted(alive)}`;
  return sql`SELECT *, (block IS NULL AND eligible <> 0 AND source IS NOT NULL)::INTEGER AS needs
    FROM (SELECT *, 0::BIGINT AS picked, 0::BIGINT AS kept_free, open & room AS eligible,
        object_id AS position,
        CASE WHEN held THEN 'held' WHEN wants = 0 AND stuck <> 0 THEN 'quarantined'
          WHEN wants = 0 THEN 'not-supported' WHEN NOT misses THEN NULL
          WHEN source IS NULL THEN 'no-source' WHEN (open & room) <> 0 THEN NULL
          ELSE ${noTargetReason} END AS block
      FROM (${wants}))`;
}

/**
 * `plan_want`: the wishes of a rule with their targets, and the copies that may go (`gone`),
 * judged one backend after the other, and those among them that may only go once other actions
 * of this plan are done (`depends`).
 */
export function judgeRemovals(
  planning: Planning,
  { index, verb }: RemovalRule,
  wishes: SqlFragment,
): SqlFragment {
  const demote = verb.kind === "demote" ? { demote: index } : {};
  const gone = trusted("c.gone");
  const planned: RemovalState = { gained: trusted("(c.added | c.gain)"), gone, ...demote };
  const alone: RemovalState = { gained: trusted("c.gain"), gone, ...demote };
  const victims = backendsIn(verb.from & removableMask(planning), planning.backends);
  const steps = victims.map(({ id }, at) => {
    const bit = bitOf(id);
    const wanted = sql`c.block IS NULL AND (c.wants & ${maskSql(bit)}) <> 0
      AND ${mayGo(planning, bit, planned)}`;
    const waits = sql`c.added <> 0 AND NOT ${mayGo(planning, bit, alone)}`;
    return sql`, ${trusted(`s${at + 1}`)} AS (SELECT c.* EXCLUDE (goes) REPLACE (
        CASE WHEN goes THEN c.gone | ${maskSql(bit)} ELSE c.gone END AS gone,
        CASE WHEN goes AND ${waits} THEN c.depends | ${maskSql(bit)} ELSE c.depends END AS depends)
      FROM (SELECT c.*, ${wanted} AS goes FROM ${trusted(`s${at}`)} c) c)`;
  });
  const primary = victims.map(
    ({ id }) => sql`WHEN (c.gone & ${maskSql(bitOf(id))}) <> 0 THEN ${trusted(`${id}`)}`,
  );
  const except = trusted("coalesce(1::BIGINT << c.target, 0)");
  const source = copySource(planning, { preferred: verb.from, except });
  const left = trusted("(c.wants & ~c.gone)");
  const words = wordNames(planning.rules).map((word) => `, c.${word}`);
  const why = whyKept(planning, left, { ...planned, gone: trusted("(c.gone | c.removed)") });
  return sql`WITH s0 AS (SELECT c.* EXCLUDE (position) REPLACE (${source} AS source), 0::BIGINT AS depends,
        CASE WHEN c.target IS NULL THEN 0 ELSE 1::BIGINT << c.target END AS gain, c.removed AS gone
      FROM (${wishes}) c)
    ${joinFragments(steps, "")}
    SELECT c.object_id, c.size, c.present_mask${trusted(words.join(""))}, c.source, c.target, c.gain, c.gone, c.depends,
      c.gone <> 0 AS acts ${orderColumns(planning, index)},
      c.size * CASE WHEN c.target IS NULL THEN bit_count(c.gone) ELSE 1 END AS bytes,
      CASE WHEN c.block IS NOT NULL THEN c.block WHEN ${left} <> 0 THEN ${why} END AS block,
      (CASE WHEN c.target IS NULL THEN NULL WHEN (c.gone >> c.source) & 1 = 1 THEN c.source
        ${joinFragments(primary, " ")} END)::INTEGER AS primary_victim
    FROM (SELECT c.* REPLACE (c.gone & ~c.removed AS gone)
      FROM ${trusted(`s${victims.length}`)} c) c`;
}

/** Where a demote may go; what it empties is never its target. */
export function targetsOf({ verb }: RemovalRule): bigint {
  return verb.kind === "demote" ? verb.to & ~verb.from : 0n;
}
