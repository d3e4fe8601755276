import type { RemovalJudgement } from "#index/runs/judge-removal.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { OpenAction } from "#index/runs/step-batch.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * The refusal of a removal because of the collection that it goes with: some object of it is not
 * ready, or one in this batch may not be given up by itself.
 */
export async function wholeGroups(
  transaction: Transaction,
  run: RunRecord,
  actions: readonly OpenAction[],
  judge: (action: OpenAction) => RemovalJudgement,
): Promise<(action: OpenAction) => RemovalJudgement | undefined> {
  const { groupOf, unready } = await readRemovalGroups(transaction, run, actions);
  const broken = new Set(unready);
  for (const action of actions) {
    const group = groupOf(action);
    if (group !== undefined && !judge(action).permitted) broken.add(group);
  }
  return (action) => {
    const group = groupOf(action);
    if (group === undefined || !broken.has(group)) return undefined;
    const message = "another object of its collection cannot go yet, and they go together";
    return { permitted: false, reason: "group", message };
  };
}

/** Collections that a rule empties whole or not at all, as far as a batch is about them. */
interface RemovalGroups {
  /** The group of an action; undefined when it goes by itself. */
  readonly groupOf: (action: OpenAction) => string | undefined;
  /** Groups of which some object is not ready to be given up. */
  readonly unready: ReadonlySet<string>;
}

/**
 * Looks for the objects that go together with those of a batch: each must have its new copy,
 * verified, and none may be held or have failed. A collection that spans batches is therefore
 * copied by one plan, and given up by the next when its copies came too late for the first.
 */
async function readRemovalGroups(
  transaction: Transaction,
  run: RunRecord,
  actions: readonly OpenAction[],
): Promise<RemovalGroups> {
  const { groups } = await transaction.row<{ groups: string | null }>(
    "SELECT json_extract(header, '$.groups')::VARCHAR AS groups FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  const rules = new Set(groups === null ? [] : (JSON.parse(groups) as readonly string[]));
  const grouped = actions.filter(({ rule }) => rules.has(rule));
  if (grouped.length === 0) return { groupOf: () => undefined, unready: new Set() };
  await transaction.stage(
    "grouped_actions",
    { rule: "VARCHAR", object_id: "BIGINT" },
    grouped.map(({ rule, object_id: objectId }) => [rule, objectId]),
  );
  const members = await transaction.rows<{ object_id: number; collection: string | null }>(
    `SELECT object_id, collection FROM objects
     WHERE object_id IN (SELECT object_id FROM grouped_actions)`,
  );
  const collections = new Map(members.map((row) => [row.object_id, row.collection]));
  const unready = await transaction.rows<{ rule: string; collection: string }>(notReady, [
    run.planKey,
    run.runKey,
  ]);
  return {
    groupOf: ({ rule, object_id: objectId }) => {
      const collection = rules.has(rule) ? collections.get(objectId) : undefined;
      return collection === undefined || collection === null ? undefined : nameOf(rule, collection);
    },
    unready: new Set(unready.map(({ rule, collection }) => nameOf(rule, collection))),
  };
}

function nameOf(rule: string, collection: string): string {
  return JSON.stringify([rule, collection]);
}

const notReady = `
  SELECT DISTINCT p.rule, o.collection
  FROM plan_actions AS p JOIN objects AS o USING (object_id)
  SEMI JOIN (SELECT DISTINCT g.rule, m.collection FROM grouped_actions AS g
    JOIN objects AS m USING (object_id)) AS w
    ON w.rule = p.rule AND w.collection = o.collection
  LEFT JOIN outcomes AS e ON e.run_key = $2 AND e.sequence = p.sequence
  WHERE p.plan_key = $1 AND (o.held OR e.outcome <> 'done'
    OR (p.target IS NOT NULL AND (o.verified_mask >> p.target) & 1 = 0))`;
