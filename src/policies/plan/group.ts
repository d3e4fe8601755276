import type { BlockReason } from "#model/plan.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { restsOnOthers } from "#policies/plan/draft.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Places of the rules that act on a collection whole or not at all (`group: collection`). */
export function groupRules(rules: readonly CompiledRule[]): readonly number[] {
  return rules.flatMap(({ group }, index) => (group === undefined ? [] : [index]));
}

/** Whether a rule is one of them, by a column with its place. */
export function isGroupRule({ rules }: Planning, column: string): SqlFragment {
  const indexes = groupRules(rules);
  return trusted(indexes.length === 0 ? "false" : `${column} IN (${indexes.join(", ")})`);
}

/**
 * An empty `plan_wish`: what such rules want of which objects, and why they cannot have all. And
 * `plan_short`: the objects that kept back others of their collection.
 */
export async function beginGroups(planning: Planning): Promise<void> {
  if (groupRules(planning.rules).length === 0) return;
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_wish
    (rule INTEGER, object_id BIGINT, collection VARCHAR, block VARCHAR)`),
  );
  await planning.run(trusted("CREATE OR REPLACE TEMP TABLE plan_short AS SELECT * FROM plan_wish"));
}

/** Notes the rows of `plan_want`, before they are cut. */
export async function noteWishes(planning: Planning, index: number): Promise<void> {
  if (planning.rules[index]?.group === undefined) return;
  await planning.run(sql`DELETE FROM plan_wish WHERE rule = ${index}::INTEGER
    AND object_id IN (SELECT object_id FROM plan_want)`);
  await planning.run(sql`INSERT INTO plan_wish
    SELECT ${index}::INTEGER, w.object_id, c.collection, w.block
    FROM plan_want w JOIN plan_candidate c ON c.object_id = w.object_id
    WHERE c.collection IS NOT NULL AND (w.acts OR w.block IS NOT NULL)`);
}

/** Notes why objects of a query (column object_id) do not get what such a rule wants of them. */
export async function noteShort(
  planning: Planning,
  index: number,
  reason: BlockReason,
  from: SqlFragment,
): Promise<void> {
  if (planning.rules[index]?.group === undefined) return;
  await planning.run(sql`UPDATE plan_wish SET block = ${reason}
    WHERE rule = ${index}::INTEGER AND block IS NULL AND object_id IN (SELECT object_id ${from})`);
}

/**
 * Takes out what a rule would do to some objects of a collection when it cannot do it to all
 * that need it: one is held, has no room, or is beyond a limit. What rested on that goes with it,
 * and may leave another collection incomplete in its turn.
 */
export async function keepWholeGroups(planning: Planning): Promise<void> {
  const indexes = groupRules(planning.rules);
  // Each pass but the last takes a rule's actions from at least one collection.
  for (let left = true; indexes.length > 0 && left;) {
    await planning.run(
      trusted(`CREATE OR REPLACE TEMP TABLE plan_lacking AS
      SELECT w.* FROM plan_wish w WHERE w.block IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM plan_draft x WHERE x.rule = w.rule AND x.object_id = w.object_id)`),
    );
    await planning.run(
      trusted(`CREATE OR REPLACE TEMP TABLE plan_broken AS
      SELECT DISTINCT d.object_id, d.rule, c.collection FROM plan_draft d
      JOIN plan_candidate c ON c.object_id = d.object_id
      SEMI JOIN plan_lacking AS s ON s.rule = d.rule AND s.collection = c.collection`),
    );
    const [found] = await planning.rows(trusted("SELECT count(*) AS broken FROM plan_broken"));
    left = Number(found?.["broken"] ?? 0) > 0;
    if (!left) return;
    await planning.run(
      trusted(`INSERT INTO plan_short SELECT * FROM plan_lacking l
      WHERE (l.rule, l.collection) IN (SELECT (b.rule, b.collection) FROM plan_broken b)`),
    );
    const gone = sql`(d.object_id IN (SELECT object_id FROM plan_broken WHERE rule = d.rule)
        OR (${restsOnOthers(planning)} AND d.object_id IN (SELECT object_id FROM plan_broken)))`;
    await planning.blocked.count(
      planning,
      sql`SELECT rule, 'group' AS reason, count(*) AS objects, sum(size)::BIGINT AS bytes
      FROM (SELECT DISTINCT d.rule, d.object_id, d.size FROM plan_draft d WHERE ${gone}) GROUP BY rule`,
    );
    await planning.run(sql`DELETE FROM plan_draft AS d WHERE ${gone}`);
  }
}

/**
 * `plan_partial`: collections of which a rule that moves or gives up copies does not select every
 * object. What protects an object does not wait for others.
 */
export async function readPartialGroups(
  planning: Planning,
  from: SqlFragment,
  selects: (rule: CompiledRule, index: number) => SqlFragment,
  narrowed: SqlFragment,
): Promise<void> {
  const parts = planning.rules.flatMap((rule, index) =>
    rule.group === undefined || rule.verb.kind === "ensure"
      ? []
      : [
          sql`SELECT DISTINCT ${index}::INTEGER AS rule, o.collection FROM ${from}
            WHERE o.collection IS NOT NULL AND NOT ${selects(rule, index)} ${narrowed}`,
        ],
  );
  if (parts.length === 0) return;
  await planning.run(
    sql`CREATE OR REPLACE TEMP TABLE plan_partial AS ${joinFragments(parts, " UNION ALL ")}`,
  );
}
