import type { ApprovalTerms } from "#model/approval.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sharesPerUsd } from "#model/cost-sql.ts";
import { rowCost } from "#policies/price/action-cost.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/** Whose approval the finished rows need, by what each policy does in them. */
export async function neededApprovals(planning: Planning): Promise<readonly ApprovalTerms[]> {
  const needed: ApprovalTerms[] = [];
  const cost = rowCost(planning);
  for (const { terms, when } of planning.set.approvals) {
    const own = planning.rules.flatMap((rule, index) =>
      rule.policy === terms.policy ? [sql`${index}::INTEGER`] : [],
    );
    if (own.length === 0) continue;
    const [row] = await planning.rows(sql`SELECT p.actions > 0 AND ${when} AS needed
      FROM (SELECT count(*) AS actions, count(DISTINCT r.object_id) AS objects,
          coalesce(sum(size), 0)::BIGINT AS bytes,
          coalesce(sum(size) FILTER (writes), 0)::BIGINT AS moved,
          coalesce(sum(size) FILTER (victim IS NOT NULL), 0)::BIGINT AS freed,
          count(*) FILTER (victim IS NOT NULL) AS removals,
          count(DISTINCT r.object_id) FILTER (verb IN ('tombstone', 'delete')) AS deletes,
          coalesce(sum(${cost.now}), 0)::DOUBLE / ${trusted(String(sharesPerUsd))} AS cost
        FROM plan_row r ${cost.joins} WHERE rule_index IN (${joinFragments(own, ", ")})) p`);
    if (row?.["needed"] === true) needed.push(terms);
  }
  return needed;
}
