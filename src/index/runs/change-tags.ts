import type { RunRecord } from "#index/runs/run-record.ts";
import type { OpenAction } from "#index/runs/step-batch.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RunOrder } from "#model/run-order.ts";

/** Gives objects the tags that the rules of a plan want, and takes away those they do not. */
export async function changeTags(
  transaction: Transaction,
  run: RunRecord,
  actions: readonly OpenAction[],
): Promise<void> {
  if (actions.length === 0) return;
  const { orders } = await transaction.row<{ orders: string | null }>(
    "SELECT json_extract(header, '$.orders')::VARCHAR AS orders FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  const known = JSON.parse(orders ?? "{}") as Readonly<Record<string, RunOrder>>;
  for (const [rule, own] of Map.groupBy(actions, (action) => action.rule)) {
    const order = known[rule];
    if (order?.action !== "tag") {
      throw new EngineError("CORRUPT", `plan ${run.planCid} does not say which tags ${rule} sets`, {
        hint: "make the plan again",
      });
    }
    await transaction.stage(
      "tagged_objects",
      { object_id: "BIGINT" },
      own.map(({ object_id }) => [object_id]),
    );
    await retag(transaction, order);
  }
}

async function retag(
  transaction: Transaction,
  { add, remove, set }: Extract<RunOrder, { action: "tag" }>,
): Promise<void> {
  const keys = Object.keys(set).map((key) => `${key}=`);
  const wanted = [...add, ...Object.entries(set).map(([key, value]) => `${key}=${value}`)];
  await transaction.run(
    `DELETE FROM tags WHERE object_id IN (FROM tagged_objects)
     AND (list_contains($1::JSON::VARCHAR[], tag)
       OR (NOT list_contains($3::JSON::VARCHAR[], tag)
         AND len(list_filter($2::JSON::VARCHAR[], lambda key: starts_with(tag, key))) > 0))`,
    [JSON.stringify(remove), JSON.stringify(keys), JSON.stringify(wanted)],
  );
  await transaction.run(
    `INSERT INTO tags
     SELECT n.object_id, n.tag FROM (
       SELECT DISTINCT object_id, unnest($1::JSON::VARCHAR[]) AS tag FROM tagged_objects) AS n
     ANTI JOIN tags AS t USING (object_id, tag)`,
    [JSON.stringify([...new Set(wanted)])],
  );
}
