import { micros, type StageValue } from "#index/connection.ts";
import { actingColumns, ledgerColumns, type Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";

/** Puts explicit holds on objects; an object that is held already keeps its first reason. */
export async function holdObjects(
  transaction: Transaction,
  objectIds: readonly number[],
  reason: string,
  now: Date,
): Promise<void> {
  const changed = await stageChanges(transaction, objectIds, false);
  const rows: StageValue[][] = changed.map((id) => [id, reason, now]);
  await transaction.stage(
    "new_holds",
    { object_id: "BIGINT", reason: "VARCHAR", since: "TIMESTAMP" },
    rows,
  );
  await transaction.run("INSERT INTO holds FROM new_holds");
  await setHeld(transaction, true);
  for (const objectId of changed) {
    transaction.record({ at: now, kind: "hold", objectId, outcome: "done", reason });
  }
}

/** Takes explicit holds away. */
export async function releaseObjects(
  transaction: Transaction,
  objectIds: readonly number[],
  now: Date,
): Promise<void> {
  const changed = await stageChanges(transaction, objectIds, true);
  await transaction.run("DELETE FROM holds WHERE object_id IN (FROM hold_changes)");
  await setHeld(transaction, false);
  for (const objectId of changed) {
    transaction.record({ at: now, kind: "hold", objectId, outcome: "done", reason: "released" });
  }
}

/**
 * Sets or ends the hold of every object in the temporary table `chosen_objects`, set-based.
 * Says how many changed.
 */
export async function holdChosen(
  transaction: Transaction,
  held: boolean,
  reason: string,
  now: Date,
): Promise<number> {
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE hold_changes AS
     SELECT object_id FROM objects SEMI JOIN chosen_objects USING (object_id)
     WHERE held <> $1`,
    [held],
  );
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM hold_changes",
  );
  if (count === 0) return 0;
  if (held) {
    await transaction.run(
      "INSERT INTO holds SELECT object_id, $1, make_timestamp($2::BIGINT) FROM hold_changes",
      [reason, micros(now)],
    );
  } else {
    await transaction.run("DELETE FROM holds WHERE object_id IN (FROM hold_changes)");
  }
  await setHeld(transaction, held);
  await transaction.run(
    `INSERT INTO ledger_entries (${ledgerColumns}, actor, note)
     SELECT $1 - 1 + row_number() OVER (ORDER BY object_id), make_timestamp($2::BIGINT), 'hold',
       NULL, NULL, NULL, object_id, 'done', $3, NULL, $4, $5 FROM hold_changes`,
    [
      transaction.takeIds("entry", count),
      micros(now),
      held ? reason : "released",
      ...actingColumns(),
    ],
  );
  return count;
}

/** Stages the given objects whose hold is as `held`, and gives their ids. */
async function stageChanges(
  transaction: Transaction,
  objectIds: readonly number[],
  held: boolean,
): Promise<readonly number[]> {
  const ids = [...new Set(objectIds)];
  await transaction.stage(
    "hold_objects",
    { object_id: "BIGINT" },
    ids.map((id) => [id]),
  );
  const known = await transaction.rows<{ object_id: number; held: boolean }>(
    "SELECT object_id, held FROM objects SEMI JOIN hold_objects USING (object_id) ORDER BY ALL",
  );
  if (known.length < ids.length) {
    const found = new Set(known.map((object) => object.object_id));
    const missing = ids.filter((id) => !found.has(id));
    throw new EngineError("NOT_FOUND", `there is no object ${missing.slice(0, 5).join(", ")}`);
  }
  const changed = known.filter((object) => object.held === held).map((row) => row.object_id);
  await transaction.stage(
    "hold_changes",
    { object_id: "BIGINT" },
    changed.map((id) => [id]),
  );
  return changed;
}

async function setHeld(transaction: Transaction, held: boolean): Promise<void> {
  // A hold lifts the mark for deletion: after its release a rule has to give a new grace.
  await transaction.run(
    `UPDATE objects SET held = $1,
       tombstoned = CASE WHEN $1 AND present_mask <> 0 THEN NULL ELSE tombstoned END
     WHERE object_id IN (FROM hold_changes)`,
    [held],
  );
}
