import {
  fillTargets,
  noTargetReason,
  pickTargets,
  roomMask,
  type TargetChoice,
  targetChoice,
} from "#policies/plan/choose-target.ts";
import { mayGo, type RemovalState, whyKept } from "#policies/plan/copy-promise.ts";
import { copySource } from "#policies/plan/copy-source.ts";
import { backendsIn, bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { claimedBefore, removableMask } from "#policies/plan/removable.ts";
import { countRows, recordBlocked, takeTurns } from "#policies/plan/take-turns.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

type RemovalRule = PlacedRule<"evict" | "demote">;

/**
 * Plans evict and demote rules in set order. A demote is whole or not at all: no copy is made
 * on its target when the copy at its source could not go afterwards.
 */
export async function planRemovals(planning: Planning): Promise<void> {
  for (const rule of rulesOf(planning.rules, "evict", "demote")) {
    await planRemoval(planning, rule);
  }
}

async function planRemoval(planning: Planning, rule: RemovalRule): Promise<void> {
  const choice = targetChoice(planning, targetsOf(rule));
  await planning.run(wantRemovals(planning, rule, choice));
  if ((await countRows(planning, "plan_want")) === 0) return;
  await recordBlocked(planning, rule.index);
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_turn AS
    SELECT *, object_id AS position FROM plan_want WHERE acts`),
  );
  await pickTargets(planning, choice, 1);
  await planning.run(judgeRemovals(planning, rule));
  if ((await takeTurns(planning, rule.index)) === 0) return;
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_pick AS
    SELECT object_id, position, size, target,
      CASE WHEN (present_mask >> target) & 1 = 1 THEN 0 ELSE size END AS cost
    FROM plan_turn WHERE target IS NOT NULL`),
  );
  await fillTargets(planning, rule.index);
  await planning.run(
    trusted(`DELETE FROM plan_turn WHERE target IS NOT NULL
    AND object_id NOT IN (SELECT object_id FROM plan_pick)`),
  );
  await draft(planning, rule);
}

/** `plan_want`: copies the rule wants gone, where a demote could go, what forbids it at once. */
function wantRemovals(planning: Planning, rule: RemovalRule, choice: TargetChoice): SqlFragment {
  const { index, verb } = rule;
  const able = maskSql(removableMask(planning));
  const isDemote = verb.kind === "demote";
  const to = maskSql(targetsOf(rule));
  const there = sql`((c.verified_mask | c.added) & ~c.removed & ${to})`;
  const claims = sql`c.present_mask & ${maskSql(verb.from)} & ~c.removed
    & ~${claimedBefore(planning, index)}`;
  const alive = isDemote ? "c.deletion IS NULL" : "c.deletion IS DISTINCT FROM 'due'";
  const wants = sql`SELECT c.*, c.present_mask AS present, (${claims}) & ${able} AS wants,
      ${there} AS counted, ${isDemote ? sql`(${there} = 0)::INTEGER` : trusted("0")} AS needs,
      ${maskSql(choice.openMask)} & ~(c.verified_mask | c.added | c.removed) AS open,
      ${maskSql(choice.cordoned)} & ~(c.verified_mask | c.added) AS cordoned,
      ${roomMask(planning, choice)} AS room, ${copySource(planning)} AS source,
      ${claimedBefore(planning, planning.rules.length)} AS avoid
    FROM plan_candidate c
    WHERE ${matched(index)} AND (${claims}) <> 0 AND (c.in_flight_mask & ${to}) = 0
      AND ${trusted(alive)}`;
  return sql`CREATE OR REPLACE TEMP TABLE plan_want AS
    SELECT *, block IS NULL AS acts FROM (
      SELECT *, 0::BIGINT AS picked, open & room AS eligible,
        CASE WHEN held THEN 'held' WHEN wants = 0 THEN 'not-supported' WHEN needs = 0 THEN NULL
          WHEN source IS NULL THEN 'no-source' WHEN (open & room) <> 0 THEN NULL
          ELSE ${noTargetReason} END AS block
      FROM (${wants}))`;
}

/**
 * `plan_want` again, with the copies that may go (`gone`), judged one backend after the other,
 * and those among them that may only go once other actions of this plan are done (`depends`).
 */
function judgeRemovals(planning: Planning, { index, verb }: RemovalRule): SqlFragment {
  const demote = verb.kind === "demote" ? { demote: index } : {};
  const gone = trusted("c.gone");
  const planned: RemovalState = { gained: trusted("(c.added | c.gain)"), gone, ...demote };
  const alone: RemovalState = { gained: trusted("c.gain"), gone, ...demote };
  const victims = backendsIn(verb.from & removableMask(planning), planning.backends);
  const steps = victims.map(({ id }, at) => {
    const bit = bitOf(id);
    const wanted = sql`(c.wants & ${maskSql(bit)}) <> 0 AND ${mayGo(planning, bit, planned)}`;
    const waits = sql`c.added <> 0 AND NOT ${mayGo(planning, bit, alone)}`;
    return sql`, ${trusted(`s${at + 1}`)} AS (SELECT c.* EXCLUDE (goes) REPLACE (
        CASE WHEN goes THEN c.gone | ${maskSql(bit)} ELSE c.gone END AS gone,
        CASE WHEN goes AND ${waits} THEN c.depends | ${maskSql(bit)} ELSE c.depends END AS depends)
      FROM (SELECT c.*, ${wanted} AS goes FROM ${trusted(`s${at}`)} c) c)`;
  });
  const primary = victims.map(
    ({ id }) => sql`WHEN (c.gone & ${maskSql(bitOf(id))}) <> 0 THEN ${trusted(`${id}`)}`,
  );
  const except = trusted("coalesce(1::BIGINT << p.target, 0)");
  const source = copySource(planning, { preferred: verb.from, except });
  const left = trusted("(c.wants & ~c.gone)");
  const why = whyKept(planning, left, { ...planned, gone: trusted("(c.gone | c.removed)") });
  return sql`CREATE OR REPLACE TEMP TABLE plan_want AS
    WITH s0 AS (SELECT c.* EXCLUDE (block, acts, position)
          REPLACE (${source} AS source), p.target, 0::BIGINT AS depends,
        CASE WHEN p.target IS NULL THEN 0 ELSE 1::BIGINT << p.target END AS gain, c.removed AS gone
      FROM plan_turn c LEFT JOIN plan_pick p ON p.object_id = c.object_id)
    ${joinFragments(steps, "")}
    SELECT c.*, c.gone <> 0 AS acts,
      c.size * CASE WHEN c.target IS NULL THEN bit_count(c.gone) ELSE 1 END AS bytes,
      CASE WHEN (c.wants & ~c.gone) = 0 THEN NULL ELSE ${why} END AS block,
      (CASE WHEN c.target IS NULL THEN NULL WHEN (c.gone >> c.source) & 1 = 1 THEN c.source
        ${joinFragments(primary, " ")} END)::INTEGER AS primary_victim
    FROM (SELECT c.* REPLACE (c.gone & ~c.removed AS gone)
      FROM ${trusted(`s${victims.length}`)} c) c`;
}

async function draft(planning: Planning, { index, verb }: RemovalRule): Promise<void> {
  const step = planning.nextStep();
  await planning.run(sql`INSERT INTO plan_draft
    SELECT ${step}::INTEGER, position, 0, object_id, 'demote', source, target, primary_victim,
      ${index}::INTEGER, bit_count(present_mask), false
    FROM plan_turn WHERE target IS NOT NULL`);
  const rest = sql`CASE WHEN target IS NULL THEN ${verb.kind} ELSE 'evict' END`;
  await planning.run(sql`INSERT INTO plan_draft
    SELECT ${step}::INTEGER, position, 1 + b.id, object_id, ${rest}, NULL, NULL, b.id,
      ${index}::INTEGER, bit_count(present_mask), (depends >> b.id) & 1 = 1
    FROM plan_turn t, (SELECT unnest(${idList(planning, verb.from)})::INTEGER AS id) b
    WHERE (t.gone >> b.id) & 1 = 1 AND b.id IS DISTINCT FROM t.primary_victim`);
  await planning.run(
    trusted(`UPDATE plan_candidate
    SET added = plan_candidate.added | t.gain, removed = plan_candidate.removed | t.gone
    FROM plan_turn t WHERE t.object_id = plan_candidate.object_id`),
  );
}

/** Where a demote may go; what it empties is never its target. */
function targetsOf({ verb }: RemovalRule): bigint {
  return verb.kind === "demote" ? verb.to & ~verb.from : 0n;
}

function idList(planning: Planning, mask: bigint): SqlFragment {
  return trusted(
    `[${backendsIn(mask, planning.backends)
      .map(({ id }) => id)
      .join(", ")}]`,
  );
}
