import { maskSql } from "#policies/plan/mask-sql.ts";
import { copySource } from "#policies/plan/copy-source.ts";
import { matched, type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { orderColumns, takeTurns } from "#policies/plan/take-turns.ts";
import { runWants } from "#policies/run-actions/run-actions.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

/**
 * Plans rules with `run:`, after all that moves or removes copies: each acts by itself on what it
 * selects, whichever other rules do.
 */
export async function planRuns(planning: Planning): Promise<void> {
  for (const rule of rulesOf(planning.rules, "run")) {
    const ofCopies = rule.verb.order.action === "verify";
    const wants = ofCopies ? wantChecks(planning, rule) : wantOnce(planning, rule);
    await planning.settle();
    await planning.table("plan_want", wants);
    if ((await takeTurns(planning, rule.index)) === 0) continue;
    const { action } = rule.verb.order;
    const source = trusted(ofCopies ? "unnest(due)" : "source");
    await addDrafts(
      planning,
      planning.nextStep(),
      {
        rule: rule.index,
        position: trusted("t.position"),
        part: trusted("coalesce(1 + t.source, 0)"),
        object_id: trusted("t.object_id"),
        verb: trusted(`'${action}'`),
        source: trusted("t.source"),
        had: trusted("bit_count(t.present_mask)"),
        size: trusted("t.size"),
      },
      sql`(SELECT object_id, position, present_mask, size, ${source} AS source FROM plan_turn) t`,
    );
  }
}

/** What failed too often for this rule, by object and backend: it is left out. */
function stuck(rule: string): SqlFragment {
  return sql`SELECT object_id, backend_id FROM failing
    WHERE step = 'act' AND quarantined_at IS NOT NULL AND rule = ${rule}`;
}

/** The copies that nobody has fully checked for long enough, neither for this rule nor otherwise. */
function wantChecks(planning: Planning, { index, rule, verb }: PlacedRule<"run">): SqlFragment {
  const { now } = planning.set.moment;
  const since = sql`greatest(k.verified_at, l.since)`;
  const isDue =
    verb.everyMs === undefined
      ? sql`${since} IS NULL`
      : sql`coalesce(${since} <= ${timestampParameter(now.getTime() - verb.everyMs)}, true)`;
  return sql`SELECT c.object_id, c.size, c.size * len(due) AS bytes, c.present_mask, due,
      len(due) > 0 AS acts, CASE WHEN len(due) = 0 THEN 'quarantined' END AS block
      ${orderColumns(planning, index)}
    FROM plan_candidate c JOIN (
      SELECT k.object_id, coalesce(list_sort(list(k.backend_id) FILTER (WHERE q.object_id IS NULL)),
        []) AS due
      FROM copy k JOIN plan_candidate c ON c.object_id = k.object_id
      LEFT JOIN lease l ON l.object_id = k.object_id AND l.backend_id = k.backend_id
        AND l.rule = ${rule.id}
      LEFT JOIN (${stuck(rule.id)}) q ON q.object_id = k.object_id AND q.backend_id = k.backend_id
      WHERE ${matched(index)} AND k.state = 'present' AND ${isDue}
        AND (((c.present_mask & ~c.removed) & ${maskSql(verb.on)}) >> k.backend_id) & 1 = 1
      GROUP BY k.object_id) d ON d.object_id = c.object_id`;
}

function wantOnce(planning: Planning, { index, rule, verb }: PlacedRule<"run">): SqlFragment {
  const wants = runWants({ id: rule.id, verb, now: planning.set.moment.now });
  const reads = verb.order.action === "export-car";
  const source = reads ? copySource(planning) : trusted("NULL::INTEGER");
  const block = sql`CASE WHEN q.object_id IS NOT NULL THEN 'quarantined'
    WHEN ${trusted(reads ? "source IS NULL" : "false")} THEN 'no-source' END`;
  return sql`SELECT c.object_id, c.size, c.size AS bytes, c.present_mask, ${source} AS source,
      ${block} AS block, block IS NULL AS acts ${orderColumns(planning, index)}
    FROM (SELECT * FROM plan_candidate o WHERE ${wants}) c
    LEFT JOIN (${stuck(rule.id)}) q ON q.object_id = c.object_id
    WHERE ${matched(index)}`;
}
