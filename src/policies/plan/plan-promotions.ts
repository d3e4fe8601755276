import {
  fillTargets,
  noTargetReason,
  pickTargets,
  roomMask,
  targetChoice,
} from "#policies/plan/choose-target.ts";
import { copySource } from "#policies/plan/copy-source.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import { ownStorages } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { orderColumns, takeTurns } from "#policies/plan/take-turns.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Plans promote rules: an object with a copy among `from` gets one among `to`. The colder copy
 * stays: it costs little, and the way back is then a removal instead of another transfer.
 */
export async function planPromotions(planning: Planning): Promise<void> {
  for (const rule of rulesOf(planning.rules, "promote")) {
    const choice = targetChoice(planning, rule.verb.to, rule.verb);
    await planning.settle();
    await planning.table("plan_want", wantPromotions(planning, rule));
    if ((await takeTurns(planning, rule.index)) === 0) continue;
    await pickTargets(planning, choice, { round: 1, of: 1 });
    await fillTargets(planning, rule.index);
    const except = trusted("(1::BIGINT << p.target)");
    await addDrafts(
      planning,
      planning.nextStep(),
      {
        rule: rule.index,
        position: trusted("p.position"),
        object_id: trusted("p.object_id"),
        verb: trusted("'promote'"),
        source: copySource(planning, { preferred: rule.verb.from, except }),
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

function wantPromotions(planning: Planning, { index, verb }: PlacedRule<"promote">): SqlFragment {
  const choice = targetChoice(planning, verb.to, verb);
  const to = maskSql(verb.to);
  const held = trusted("(c.verified_mask | c.added | c.in_flight_mask)");
  return sql`SELECT *, block IS NULL AS acts FROM (
      SELECT *, CASE WHEN source IS NULL THEN 'no-source' WHEN eligible <> 0 THEN NULL
          ELSE ${noTargetReason} END AS block
      FROM (SELECT *, open & room AS eligible FROM (
        SELECT c.object_id, c.size, c.size AS bytes, c.present_mask AS present,
          c.stuck_copies, c.place, bit_count(c.present_mask) AS had,
          0::BIGINT AS counted, 0::BIGINT AS avoid, 0::BIGINT AS picked, 0::BIGINT AS kept_free,
          1 AS needs,
          ${ownStorages(planning, maskSql(choice.openMask), held)} AS open, ${maskSql(choice.cordoned)} AS cordoned,
          ${roomMask(planning, choice)} AS room,
          ${copySource(planning)} AS source ${orderColumns(planning, index)}
        FROM plan_candidate c
        WHERE ${matched(index)} AND c.deletion IS NULL
          AND ((c.present_mask | c.added) & ${maskSql(verb.from)}) <> 0
          AND (${held} & ${to}) = 0)))`;
}
