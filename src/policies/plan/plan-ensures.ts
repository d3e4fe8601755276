import {
  fillTargets,
  noTargetReason,
  pickTargets,
  roomMask,
  targetChoice,
} from "#policies/plan/choose-target.ts";
import { copySource } from "#policies/plan/copy-source.ts";
import { bitCount, confidenceColumn, maskSql } from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import { copiesOn, eachOnce, ownStorages } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { lacksCopies, type Spread, spreadOf, valuesOn, withPeers } from "#policies/plan/spread.ts";
import { countRows, orderColumns, takeTurns } from "#policies/plan/take-turns.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

type EnsureRule = PlacedRule<"ensure">;

/**
 * Adds the copies that ensure rules lack. All rules that match an object hold together; the one
 * with the fewest backends to choose from goes first, because its copy may serve the others.
 */
export async function planEnsures(planning: Planning): Promise<void> {
  const rules = rulesOf(planning.rules, "ensure").toSorted(
    (a, b) => bitCount(a.verb.on) - bitCount(b.verb.on) || a.index - b.index,
  );
  for (const rule of rules) await planEnsure(planning, rule);
}

async function planEnsure(planning: Planning, { index, verb }: EnsureRule): Promise<void> {
  const choice = targetChoice(planning, verb.on, verb);
  await planning.settle();
  await planning.table("plan_want", wantCopies(planning, { index, verb } as EnsureRule));
  if ((await takeTurns(planning, index)) === 0) return;
  const step = planning.nextStep();
  const spread = spreadOf(planning, verb);
  for (let round = 1; round <= verb.copies.min; round += 1) {
    await pickTargets(planning, choice, { round, of: verb.copies.min, spread });
    if ((await countRows(planning, "plan_pick")) === 0) return;
    await fillTargets(planning, index);
    await addDrafts(
      planning,
      step,
      {
        rule: index,
        position: trusted("p.position"),
        part: trusted(`${round}`),
        object_id: trusted("p.object_id"),
        verb: trusted("'replicate'"),
        source: copySource(planning, { except: trusted("(1::BIGINT << p.target)") }),
        target: trusted("p.target"),
        had: trusted("p.had"),
        size: trusted("c.size"),
        writes: trusted("(c.present_mask >> p.target) & 1 = 0"),
      },
      trusted("plan_pick p JOIN plan_candidate c ON c.object_id = p.object_id"),
    );
    planning.adds = true;
    await planning.run(
      trusted(`UPDATE plan_mask
      SET added = plan_mask.added | (1::BIGINT << p.target)
      FROM plan_pick p WHERE p.object_id = plan_mask.object_id`),
    );
  }
}

/** `plan_want`: objects that lack copies, with what they could get and what is in the way. */
function wantCopies(planning: Planning, { index, verb }: EnsureRule): SqlFragment {
  const choice = targetChoice(planning, verb.on, verb);
  const on = maskSql(verb.on);
  const column = trusted(confidenceColumn(verb.confidence));
  const held = sql`(c.${column} | c.added | c.in_flight_mask)`;
  const targets = trusted("bit_count(eligible)");
  // Of a storage that spans others it is the others: with it first, none of them could follow.
  const eligible = eachOnce(planning, trusted("open & room"));
  const spread = spreadOf(planning, verb);
  const rows = sql`SELECT *, ${eligible} AS eligible FROM (
      SELECT c.object_id, c.size, c.present_mask AS present, c.stuck_copies, c.place,
        ${held} & ${on} AS counted, ${copiesOn(planning, sql`c.${column} & ${on}`)} AS had,
        ${verb.copies.min}::INTEGER - ${copiesOn(planning, sql`${held} & ${on}`)} AS lack,
        ${ownStorages(planning, sql`${maskSql(choice.openMask)} & ~${held}`, held)} AS open,
        ${maskSql(choice.cordoned)} & ~${held} AS cordoned,
        ${roomMask(planning, choice)} AS room,
        ${unwanted(planning)} AS avoid, ${keptFree(planning)} AS kept_free,
        ${copySource(planning)} AS source ${orderColumns(planning, index)}
      FROM plan_candidate c
      WHERE ${matched(index)} AND ${lacksCopies(planning, verb, sql`${held} & ${on}`)})`;
  const needs =
    spread === undefined
      ? sql`least(lack, ${targets})`
      : sql`(fresh + least(greatest(lack - fresh, 0), ${targets} - fresh))`;
  const enough = trusted(spread === undefined ? "" : "AND fresh >= apart");
  return sql`SELECT * EXCLUDE (lack, cordoned, open, room, source, stuck_copies), ${needs} AS needs,
      0::BIGINT AS picked, size * ${needs} AS bytes,
      source IS NOT NULL AND ${needs} > 0 AS acts,
      CASE WHEN source IS NULL THEN 'no-source' WHEN ${targets} >= lack ${enough} THEN NULL
        ELSE ${noTargetReason} END AS block
    FROM (${spread === undefined ? rows : spreading(planning, spread, rows)})`;
}

/**
 * The rows with how many more values the copies have to lie in (`apart`), and in how many of those
 * they can (`fresh`). Where that is too few, only backends of other values are asked what is wrong.
 */
function spreading(planning: Planning, spread: Spread, rows: SqlFragment): SqlFragment {
  const peers = withPeers(planning, spread, trusted("counted"));
  const missing = sql`greatest(${spread.values}::INTEGER
    - ${valuesOn(planning, spread, trusted("counted"))}, 0)`;
  const reachable = valuesOn(planning, spread, trusted("eligible & ~peers"));
  return sql`SELECT * EXCLUDE (peers) REPLACE (${narrowed("open")}, ${narrowed("cordoned")})
    FROM (SELECT *, least(apart, ${reachable}) AS fresh
      FROM (SELECT *, ${missing} AS apart, ${peers} AS peers FROM (${rows})))`;
}

/** A mask without the values that copies have, where too few others are left. */
function narrowed(mask: string): SqlFragment {
  return trusted(`CASE WHEN fresh < apart THEN ${mask} & ~peers ELSE ${mask} END AS ${mask}`);
}

/** Backends that a matching evict or demote rule wants without a copy: the last to choose. */
function unwanted({ rules }: Planning): SqlFragment {
  const emptied = rulesOf(rules, "evict", "demote").filter(({ verb }) => !isBounded(verb));
  const terms = emptied.map(
    ({ index, verb }) => sql`CASE WHEN ${matched(index)} THEN ${maskSql(verb.from)} ELSE 0 END`,
  );
  return terms.length === 0 ? trusted("0::BIGINT") : sql`(${joinFragments(terms, " | ")})`;
}

/** Where a matching demote rule will want to go: a copy put there would stand in its way. */
function keptFree({ rules }: Planning): SqlFragment {
  const terms = rulesOf(rules, "demote").map(
    ({ index, verb }) => sql`CASE WHEN ${matched(index)}
      AND (c.present_mask & ${maskSql(verb.from)}) <> 0 THEN ${maskSql(verb.to)} ELSE 0 END`,
  );
  return terms.length === 0 ? trusted("0::BIGINT") : sql`(${joinFragments(terms, " | ")})`;
}
