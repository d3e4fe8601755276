import { maskSql } from "#policies/plan/mask-sql.ts";
import { matched, matchedAny, rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { removableMask } from "#policies/plan/removable.ts";
import { orderColumns, takeTurns } from "#policies/plan/take-turns.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Plans delete rules: first a tombstone, then, when its grace is over and the rule still
 * matches, the removal of every copy. An object that no longer matches keeps its copies.
 */
export async function planDeletions(planning: Planning): Promise<void> {
  const before: number[] = [];
  for (const { index } of rulesOf(planning.rules, "delete")) {
    await planning.settle();
    await planning.table("plan_want", wantDeletions(planning, index, before));
    before.push(index);
    if ((await takeTurns(planning, index)) === 0) continue;
    const step = planning.nextStep();
    const columns = {
      rule: index,
      position: trusted("t.position"),
      object_id: trusted("t.object_id"),
      had: trusted("bit_count(t.present_mask)"),
      size: trusted("t.size"),
    };
    const marks = { ...columns, verb: trusted("'tombstone'") };
    await addDrafts(planning, step, marks, trusted("plan_turn t WHERE t.deletion = 'mark'"));
    const ids = planning.backends.map(({ id }) => id).join(", ");
    await addDrafts(
      planning,
      step,
      {
        ...columns,
        part: trusted("1 + b.id"),
        verb: trusted("'delete'"),
        victim: trusted("b.id"),
      },
      trusted(`plan_turn t, (SELECT unnest([${ids}])::INTEGER AS id) b
        WHERE t.deletion = 'due' AND (t.copies >> b.id) & 1 = 1`),
    );
  }
}

function wantDeletions(planning: Planning, index: number, before: readonly number[]): SqlFragment {
  const ensures = rulesOf(planning.rules, "ensure").map((rule) => rule.index);
  const able = maskSql(removableMask(planning));
  return sql`SELECT *, coalesce(deletion = 'mark' OR (deletion = 'due' AND copies <> 0), false) AS acts,
      CASE WHEN held THEN 'held' WHEN ensured THEN 'ensure' WHEN deletion = 'wait' THEN 'grace'
        WHEN deletion = 'due' AND locked <> 0 THEN 'locked'
        WHEN deletion = 'due' AND stuck <> 0 THEN 'quarantined'
        WHEN deletion = 'due' AND copies <> present_mask THEN 'not-supported' END AS block
    FROM (SELECT c.object_id, c.size, c.present_mask, c.held, c.deletion,
        c.size * bit_count(c.present_mask) AS bytes, 
        ${matchedAny(ensures)} OR c.leased <> 0 AS ensured,
        c.present_mask & ${able} & c.stuck_removals AS stuck,
        c.present_mask & ${able} & c.locked AS locked,
        c.present_mask & ${able} & ~(c.stuck_removals | c.locked) AS copies ${orderColumns(planning, index)}
      FROM plan_candidate c
      WHERE ${matched(index)} AND NOT ${matchedAny(before)} AND c.present_mask <> 0)`;
}
