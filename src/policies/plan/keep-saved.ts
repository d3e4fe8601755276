import { ruleNames } from "#policies/plan/final-rows.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sql } from "#policies/sql-fragment.ts";

/** Of all that is wanted now, what an earlier plan has: somebody agreed to that, and no more. */
export interface SavedScope {
  /** Parquet file with the rows of the earlier plan. */
  readonly savedRows: string;
}

/**
 * Leaves of the drafts only actions that stand in the saved plan: the same rule does the same
 * thing about the same copies. From where a copy is read may differ. A removal that rests on
 * another action stays only beside copies of the same object.
 */
export async function keepSaved(planning: Planning, { savedRows }: SavedScope): Promise<void> {
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_saved AS
    SELECT object_id, verb, rule, coalesce(target, -1) AS target, coalesce(victim, -1) AS victim
    FROM read_parquet(${savedRows})`);
  await planning.run(sql`DELETE FROM plan_draft AS d WHERE NOT EXISTS (
    SELECT 1 FROM plan_saved AS s
    WHERE s.object_id = d.object_id AND s.verb = d.verb
      AND s.rule = (${ruleNames(planning.rules)})[d.rule + 1]
      AND s.target = coalesce(d.target, -1) AND s.victim = coalesce(d.victim, -1))`);
  await planning.run(sql`DELETE FROM plan_draft AS d
    WHERE d.depends AND d.target IS NULL AND NOT EXISTS (
      SELECT 1 FROM plan_draft AS c WHERE c.object_id = d.object_id AND c.target IS NOT NULL)`);
  // What the policies cannot have now is no part of what was agreed to.
  planning.blocked.keepOnly(() => false);
}
