import type { PlanBudget } from "#model/budget.ts";
import { currency } from "#model/money.ts";
import type {
  BlockedCount,
  BlockReason,
  PlanCost,
  PlanGroup,
  PlanTotals,
  Verb,
} from "#model/plan.ts";
import { budgetState, openBudgets } from "#policies/plan/plan-budgets.ts";
import { ruleName } from "#policies/plan/number-rows.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { isPriced } from "#policies/price/action-cost.ts";
import { usdOfShares } from "#model/cost-sql.ts";
import { costRefusals } from "#policies/price/refuse-losses.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

/** Totals of `plan_row`, for the header. */
export async function planTotals(planning: Planning): Promise<PlanTotals> {
  const [total] = await planning.rows(
    trusted(`SELECT count(*) AS actions,
      count(DISTINCT object_id) AS objects,
      coalesce(sum(size) FILTER (writes), 0)::BIGINT AS moved,
      coalesce(sum(size) FILTER (victim IS NOT NULL), 0)::BIGINT AS freed
    FROM plan_row`),
  );
  return {
    actions: Number(total?.["actions"] ?? 0),
    objects: Number(total?.["objects"] ?? 0),
    bytesMoved: Number(total?.["moved"] ?? 0),
    bytesFreed: Number(total?.["freed"] ?? 0),
    groups: await planGroups(planning),
  };
}

async function planGroups(planning: Planning): Promise<readonly PlanGroup[]> {
  const names = new Map(planning.backends.map(({ id, name }) => [id, name]));
  const name = (id: unknown) => (id === null ? null : (names.get(Number(id)) ?? null));
  const groups = await planning.rows(sql`SELECT r.verb, ${ruleName(planning.rules)} AS rule,
      r.source, r.target, r.victim, count(*) AS actions, sum(r.size)::BIGINT AS bytes
    FROM plan_row r ${eachGroup}`);
  return groups.map((group) => ({
    verb: group["verb"] as Verb,
    rule: String(group["rule"]),
    source: name(group["source"]),
    target: name(group["target"]),
    victim: name(group["victim"]),
    actions: Number(group["actions"]),
    bytes: Number(group["bytes"]),
  }));
}

/** What `plan_row` costs, in all and by group; undefined where nothing has a price. */
export async function planCost(
  planning: Planning,
  budgets: readonly PlanBudget[],
): Promise<PlanCost | undefined> {
  if (!isPriced(planning)) return undefined;
  const rows = await planning.rows(sql`SELECT sum(r.cost_now)::VARCHAR AS now,
      sum(r.cost_month)::VARCHAR AS month FROM plan_row r ${eachGroup}`);
  const refused = await costRefusals(planning);
  const states = (await openBudgets(planning, budgets)).map(budgetState);
  const sum = (column: string) => rows.reduce((all, row) => all + BigInt(String(row[column])), 0n);
  return {
    currency,
    now: usdOfShares(sum("now")),
    month: usdOfShares(sum("month")),
    groups: rows.map(({ now, month }) => ({ now: usdOfShares(now), month: usdOfShares(month) })),
    ...(refused.length === 0 ? {} : { refused }),
    ...(states.length === 0 ? {} : { budgets: states }),
  };
}

const eachGroup = trusted(`GROUP BY r.verb, r.rule_index, r.source, r.target, r.victim
  ORDER BY min(r.sequence)`);

/** What rules wanted and the plan could not give, by rule in set order. */
export async function blockedCounts(planning: Planning): Promise<readonly BlockedCount[]> {
  const counts = await planning.rows(sql`SELECT ${ruleName(planning.rules)} AS rule, reason,
      detail, sum(objects)::BIGINT AS objects, sum(bytes)::BIGINT AS bytes
    FROM plan_blocked r GROUP BY r.rule_index, reason, detail
    ORDER BY r.rule_index, reason, detail NULLS FIRST`);
  return counts.map((count) => ({
    rule: String(count["rule"]),
    reason: count["reason"] as BlockReason,
    objects: Number(count["objects"]),
    bytes: Number(count["bytes"]),
    ...(typeof count["detail"] === "string" ? { limit: count["detail"] } : {}),
  }));
}
