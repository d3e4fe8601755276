import { tiers } from "#model/copy.ts";
import { isGroupRule } from "#policies/plan/group.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/**
 * Joins a removal that rests on a copy this plan only makes with the making of that copy: one
 * action that copies first and removes then. Left apart they could run in the wrong order, and
 * the removal would be refused until the next plan.
 */
export async function pairActions(planning: Planning): Promise<void> {
  if (!planning.mayWait) return;
  const [waiting] = await planning.rows(
    trusted("SELECT count(*) AS waiting FROM plan_draft WHERE depends AND target IS NULL"),
  );
  if (Number(waiting?.["waiting"] ?? 0) === 0) return;
  const ranks = planning.backends.map(
    ({ id, tier }) => sql`(${id}::INTEGER, ${tiers.indexOf(tier)}::INTEGER)`,
  );
  // A copy that is wanted for a time carries the name of its rule, which says for how long.
  const indexes = leaseRules(planning.rules).map(({ index }) => index);
  const leased = trusted(indexes.length === 0 ? "false" : `rule IN (${indexes.join(", ")})`);
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_pair AS
    WITH additions AS (
      SELECT *, row_number() OVER (PARTITION BY object_id ORDER BY step, part) AS turn
      FROM plan_draft WHERE target IS NOT NULL AND victim IS NULL AND NOT ${leased}
        AND NOT ${isGroupRule(planning, "rule")}
    ), removals AS (
      SELECT *, row_number() OVER (PARTITION BY object_id ORDER BY step, part) AS turn
      FROM plan_draft WHERE depends AND target IS NULL
    ), warmth AS (SELECT * FROM (VALUES ${joinFragments(ranks, ", ")}) w(id, rank))
    SELECT r.* REPLACE (
        CASE WHEN t.rank < v.rank THEN 'promote' ELSE 'demote' END AS verb,
        a.source AS source, a.target AS target, a.writes AS writes, false AS depends),
      a.step AS addition_step, a.part AS addition_part
    FROM removals r JOIN additions a ON a.object_id = r.object_id AND a.turn = r.turn
    JOIN warmth t ON t.id = a.target JOIN warmth v ON v.id = r.victim`);
  await planning.run(
    trusted(`DELETE FROM plan_draft d USING plan_pair p
    WHERE d.object_id = p.object_id AND ((d.step = p.step AND d.part = p.part)
      OR (d.step = p.addition_step AND d.part = p.addition_part))`),
  );
  await planning.run(
    trusted(`INSERT INTO plan_draft
    SELECT * EXCLUDE (turn, addition_step, addition_part) FROM plan_pair`),
  );
}
