import type { CostRefusal } from "#model/plan.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { actionCost, isPriced } from "#policies/price/action-cost.ts";
import { monthMs, usdOfShares } from "#model/cost-sql.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What moves would cost that do not pay, by rule and object: `plan_loss`, if a rule asks for it. */
function asksForPay({ rules, backends }: Planning, index?: number): boolean {
  const asking = index === undefined ? rules : [rules[index]];
  return isPriced({ backends }) && asking.some((rule) => rule?.horizonMs !== undefined);
}

/** A rule that is judged again has lost nothing yet. */
export async function forgetLosses(planning: Planning, index: number): Promise<void> {
  if (!asksForPay(planning, index)) return;
  await planning.run(
    trusted(`CREATE TEMP TABLE IF NOT EXISTS plan_loss
    (rule INTEGER, object_id BIGINT, now HUGEINT, early HUGEINT, month HUGEINT, raised BOOLEAN)`),
  );
  await planning.run(trusted(`DELETE FROM plan_loss WHERE rule = ${index}`));
}

/**
 * Blocks those rows of `plan_want` that would not save, within the horizon of their rule, what
 * they cost at once. That comes before turns are taken, so that a move that does not pay never
 * takes the place of one that does, and before copies are counted on by other rules. Of the copies
 * of a row (`w`) that go, one goes with the move.
 */
export async function refuseLosses(
  planning: Planning,
  index: number,
  primaryVictim: SqlFragment,
): Promise<void> {
  const horizonMs = planning.rules[index]?.horizonMs;
  if (horizonMs === undefined || !isPriced(planning)) return;
  const cost = actionCost(planning);
  const ids = planning.backends.map(({ id }) => id).join(", ");
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_dear AS
    SELECT d.object_id, sum(${cost.now}) AS now, sum(${cost.early}) AS early,
      sum(${cost.month}) AS month, bool_or(${cost.isRaised}) AS raised
    FROM (SELECT w.object_id, 'demote' AS verb, w.source, b.id AS victim,
        CASE WHEN b.id = ${primaryVictim} THEN w.target END AS target
      FROM plan_want w, (SELECT unnest(${trusted(`[${ids}]`)})::INTEGER AS id) b
      WHERE w.acts AND (w.gone >> b.id) & 1 = 1) d
    JOIN plan_candidate c ON c.object_id = d.object_id ${cost.joins}
    GROUP BY d.object_id
    HAVING sum(${cost.now}) > 0
      AND sum(${cost.now}) * ${trusted(`${monthMs}`)} > -sum(${cost.month}) * ${horizonMs}::BIGINT`);
  await planning.run(
    trusted(`UPDATE plan_want SET acts = false, block = 'break-even'
    FROM plan_dear x WHERE x.object_id = plan_want.object_id`),
  );
  await planning.run(sql`INSERT INTO plan_loss
    SELECT ${index}::INTEGER, object_id, now, early, month, raised FROM plan_dear`);
}

/** What the moves would cost that were not made because they do not pay, by rule. */
export async function costRefusals(planning: Planning): Promise<readonly CostRefusal[]> {
  const refused = planning.blocked.all.filter(({ reason }) => reason === "break-even");
  if (refused.length === 0) return [];
  const indexes = refused.map(({ ruleIndex }) => ruleIndex);
  const rows = await planning.rows(
    trusted(`SELECT rule, sum(now)::VARCHAR AS now, sum(early)::VARCHAR AS early,
      sum(month)::VARCHAR AS month, count(*) FILTER (raised) AS raised
    FROM plan_loss l WHERE rule IN (${indexes.join(", ")})
    GROUP BY rule ORDER BY rule`),
  );
  return rows.flatMap(({ rule, now, early, month, raised }) => {
    const { id, horizonMs } = planning.rules[Number(rule)] ?? {};
    if (id === undefined || horizonMs === undefined) return [];
    const usd = { now: usdOfShares(now), month: usdOfShares(month), early: usdOfShares(early) };
    return [{ rule: id, horizonMs, ...usd, atMinimumSize: Number(raised) }];
  });
}
