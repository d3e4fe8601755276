import type { ReadSession } from "#model/sql.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/** Of all that is wanted now, what was wanted before: actions that failed (retry). */
export interface WishScope {
  /** Makes a temporary table in the session (`object_id`, `verb`, `rule`) and names it. */
  readonly wishes: (session: ReadSession) => Promise<string>;
}

/**
 * Leaves of the drafts only the wishes of a scope. A removal that rests on another action stays
 * only beside copies of the same object: that other action may not be in this part.
 */
export async function keepWishes(planning: Planning, { wishes }: WishScope): Promise<void> {
  const table = await wishes(planning.session);
  const names = planning.rules.map(({ id }) => sql`${id}`);
  const rule = sql`([${joinFragments(names, ", ")}]::VARCHAR[])[d.rule + 1]`;
  await planning.run(sql`DELETE FROM plan_draft AS d WHERE NOT EXISTS (
    SELECT 1 FROM ${trusted(table)} AS w
    WHERE w.object_id = d.object_id AND w.verb = d.verb AND w.rule = ${rule})`);
  await planning.run(sql`DELETE FROM plan_draft AS d
    WHERE d.depends AND d.target IS NULL AND NOT EXISTS (
      SELECT 1 FROM plan_draft AS c WHERE c.object_id = d.object_id AND c.target IS NOT NULL)`);
  // What the policies cannot have is no part of what somebody asked for.
  await planning.run(trusted("DELETE FROM plan_blocked"));
}
