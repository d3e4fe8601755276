import { noTargetReason, roomMask, type TargetChoice } from "#policies/plan/choose-target.ts";
import { copyPromises, mayGo, type RemovalState, whyKept } from "#policies/plan/copy-promise.ts";
import { copySource, hasSource } from "#policies/plan/copy-source.ts";
import {
  anyMask,
  backendsIn,
  bitOf,
  confidenceColumn,
  maskSql,
  noBackends,
  without,
} from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, wordNames } from "#policies/plan/match-words.ts";
import { ownStorages, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { claimedBefore, removableMask } from "#policies/plan/removable.ts";
import { valuesNamed, valuesOn, withPeers } from "#policies/plan/spread.ts";
import { substituteMask } from "#policies/plan/substitute-target.ts";
import { countsFor } from "#policies/plan/used-by.ts";
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
  candidates: SqlFragment,
): SqlFragment {
  const { index, verb } = rule;
  const { added, removed } = planning;
  const isDemote = verb.kind === "demote";
  const to = maskSql(targetsOf(rule));
  const verified = anyMask(trusted("c.verified_mask"), added);
  const there = isDemote ? sql`(${without(verified, removed)} & ${to})` : noBackends;
  const claims = rule.ended
    ? without(trusted(`c.x${index}`), removed, claimedBefore(planning))
    : without(
        sql`(c.present_mask & ${maskSql(verb.from)})`,
        removed,
        claimedBefore(planning, index),
      );
  const alive = isDemote ? "c.deletion IS NULL" : "c.deletion IS DISTINCT FROM 'due'";
  const able = removableMask(planning);
  const movable = (verb.from & ~able) === 0n ? claims : sql`(${claims} & ${maskSql(able)})`;
  const stuck = planning.hasStuck ? trusted("c.stuck_removals") : noBackends;
  const locked = lockedOf(planning);
  const victims = without(movable, stuck, locked);
  const vacant = (mask: bigint) =>
    mask === 0n
      ? noBackends
      : without(maskSql(mask), verified, removed, trusted("c.in_flight_mask"));
  const held = sql`(${verified} | c.in_flight_mask)`;
  const substitute = substituteMask(planning, rule, victims);
  const open = ownStorages(planning, vacant(choice.openMask), held);
  const goal = sql`CASE WHEN ${there} = 0 THEN ${to} ELSE ${substitute} END & ${open}`;
  const free = sql`(c.in_flight_mask & ${to}) = 0`;
  const wants = sql`SELECT c.*, c.present_mask AS present, ${victims} AS wants,
      ${planning.hasStuck ? sql`${movable} & ${stuck}` : noBackends} AS stuck,
      ${planning.hasLocked ? sql`${movable} & ${locked} AS locked_there,` : trusted("")}
      ${there} AS counted, ${isDemote ? sql`${there} = 0` : trusted("false")} AS misses,
      ${isDemote ? goal : noBackends} AS open,
      ${vacant(choice.cordoned & targetsOf(rule))} AS cordoned,
      ${isDemote ? roomMask(planning, choice) : noBackends} AS room,
      ${isDemote ? hasSource(planning) : trusted("true")} AS readable,
      ${anyMask(claimedBefore(planning), isDemote ? crowding(planning, rule, victims) : noBackends)} AS avoid
    FROM ${candidates} c
    WHERE ${rule.ended ? trusted("true") : matched(index)} AND ${claims} <> 0
      ${countsFor(planning.rules, rule)}
      AND ${isDemote ? free : trusted("true")} AND ${trusted(alive)}`;
  return sql`SELECT *, (block IS NULL AND eligible <> 0 AND readable)::INTEGER AS needs
    FROM (SELECT *, 0::BIGINT AS picked, 0::BIGINT AS kept_free, open & room AS eligible,
        CASE WHEN held THEN 'held'
          ${trusted(planning.hasLocked ? "WHEN wants = 0 AND locked_there <> 0 THEN 'locked'" : "")}
          WHEN wants = 0 AND stuck <> 0 THEN 'quarantined'
          WHEN wants = 0 THEN 'not-supported' WHEN NOT misses THEN NULL
          WHEN NOT readable THEN 'no-source' WHEN (open & room) <> 0 THEN NULL
          ELSE ${noTargetReason} END AS block
      FROM (${wants}))`;
}

/**
 * Where a copy would not make good what the spread of other rules loses with these copies: a demote
 * that goes there could not give them up.
 */
function crowding(planning: Planning, { verb }: RemovalRule, victims: SqlFragment): SqlFragment {
  const masks = copyPromises(planning.rules, planning.backends).flatMap((promise) => {
    const { spread, on } = promise;
    if (spread === undefined || (on & verb.from) === 0n) return [];
    const counted = anyMask(trusted(`c.${confidenceColumn(promise.confidence)}`), planning.added);
    const before = sql`(${without(counted, planning.removed)} & ${maskSql(on)})`;
    const left = sql`(${without(before, withSame(planning, victims))})`;
    const after = valuesOn(planning, spread, left);
    return [
      sql`CASE WHEN ${matched(promise.index)} AND ${after} < ${spread.values}::INTEGER
          AND ${after} < ${valuesNamed(spread, before)}
        THEN ${maskSql(~on)} | ${withPeers(planning, spread, left)} ELSE 0 END`,
    ];
  });
  return anyMask(...masks);
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
  const gone = trusted("c.gone");
  const demote = verb.kind === "demote" ? { demote: index } : {};
  const gain = verb.kind === "demote" ? trusted("c.gain") : noBackends;
  const planned: RemovalState = { gained: anyMask(planning.added, gain), gone, ...demote };
  const alone: RemovalState = { gained: gain, gone, ...demote };
  const victims = backendsIn(verb.from & removableMask(planning), planning.backends);
  const steps = victims.map(({ id }, at) => {
    const bit = bitOf(id);
    const goes = sql`c.block IS NULL AND (c.wants & ${maskSql(bit)}) <> 0
      AND ${mayGo(planning, bit, planned)}`;
    const step = trusted(`s${at + 1}`);
    const before = trusted(`s${at}`);
    // What rests on other actions: before there are some, nothing does.
    if (!planning.adds) {
      return sql`, ${step} AS (SELECT c.* REPLACE (
        CASE WHEN ${goes} THEN c.gone | ${maskSql(bit)} ELSE c.gone END AS gone) FROM ${before} c)`;
    }
    const waits = sql`c.added <> 0 AND NOT ${mayGo(planning, bit, alone)}`;
    return sql`, ${step} AS (SELECT c.* EXCLUDE (goes) REPLACE (
        CASE WHEN goes THEN c.gone | ${maskSql(bit)} ELSE c.gone END AS gone,
        CASE WHEN goes AND ${waits} THEN c.depends | ${maskSql(bit)} ELSE c.depends END AS depends)
      FROM (SELECT c.*, ${goes} AS goes FROM ${before} c) c)`;
  });
  const except = trusted("coalesce(1::BIGINT << c.target, 0)");
  const source = copySource(planning, { preferred: verb.from, except });
  const left = trusted("(c.wants & ~c.gone)");
  const words = wordNames(planning.rules).map((word) => `, c.${word}`);
  const why = whyKept(planning, left, { ...planned, gone: anyMask(gone, planning.removed) });
  const last = trusted(`s${victims.length}`);
  return sql`WITH s0 AS (SELECT c.*, ${source} AS source, 0::BIGINT AS depends,
        CASE WHEN c.target IS NULL THEN 0 ELSE 1::BIGINT << c.target END AS gain,
        ${planning.removed} AS gone
      FROM (${wishes}) c)
    ${joinFragments(steps, "")}
    SELECT c.object_id, c.size, c.present_mask${trusted(words.join(""))}, c.source, c.target, c.gone${trusted(planning.adds ? ", c.depends" : "")},
      c.gone <> 0 AS acts ${orderColumns(planning, index)},
      c.size * CASE WHEN c.target IS NULL THEN bit_count(c.gone) ELSE 1 END AS bytes,
      CASE WHEN c.block IS NOT NULL THEN c.block WHEN ${left} <> 0 THEN ${why}
        ${trusted(planning.hasLocked ? "WHEN c.locked_there <> 0 THEN 'locked'" : "")} END AS block
    FROM (SELECT c.* REPLACE (${without(gone, planning.removed)} AS gone) FROM ${last} c) c`;
}

/**
 * Of the copies that go when an object moves, over rows of `plan_want` or `plan_turn`, the one that
 * goes with the move: where it is read from, else the first. Null where nothing moves. It is not kept
 * with the rows, of which most may never have their turn.
 */
export function primaryVictim(
  planning: Planning,
  { verb }: RemovalRule,
  alias: string,
): SqlFragment {
  const [target, gone, source] = ["target", "gone", "source"].map((name) =>
    trusted(`${alias}.${name}`),
  ) as [SqlFragment, SqlFragment, SqlFragment];
  const victims = backendsIn(verb.from & removableMask(planning), planning.backends);
  const first = victims.map(
    ({ id }) => sql`WHEN (${gone} & ${maskSql(bitOf(id))}) <> 0 THEN ${trusted(`${id}`)}`,
  );
  return sql`(CASE WHEN ${target} IS NULL THEN NULL WHEN (${gone} >> ${source}) & 1 = 1 THEN ${source}
    ${joinFragments(first, " ")} END)::INTEGER`;
}

/** Backends that let nobody remove their copy of a candidate. */
export function lockedOf({ hasLocked }: Planning): SqlFragment {
  return hasLocked ? trusted("c.locked") : noBackends;
}

/** Where a demote may go; what it empties is never its target. */
export function targetsOf({ verb }: RemovalRule): bigint {
  return verb.kind === "demote" ? verb.to & ~verb.from : 0n;
}
