import { micros } from "#index/connection.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";

/** A copy that an action of a run makes. */
export interface MadeCopy {
  readonly objectId: number;
  readonly backendId: number;
  readonly rule: string;
}

/**
 * Notes since when a rule has the copies that it wants for a time only, right after they were
 * recorded (`copies_before`). One that was there already is nobody's to give up later.
 */
export async function grantLeases(
  transaction: Transaction,
  run: RunRecord,
  copies: readonly MadeCopy[],
  now: Date,
): Promise<void> {
  if (copies.length === 0) return;
  const { leases } = await transaction.row<{ leases: string | null }>(
    "SELECT json_extract(header, '$.leases')::VARCHAR AS leases FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  if (leases === null) return;
  const rules = new Set(Object.keys(JSON.parse(leases) as Readonly<Record<string, number>>));
  const wanted = copies.filter(({ rule }) => rules.has(rule));
  await transaction.stage(
    "leased_copies",
    { object_id: "BIGINT", backend_id: "INTEGER", rule: "VARCHAR" },
    wanted.map(({ objectId, backendId, rule }) => [objectId, backendId, rule]),
  );
  await transaction.run(`DELETE FROM leased_copies AS l USING copies_before AS c
    WHERE c.object_id = l.object_id AND c.backend_id = l.backend_id AND c.state = 'present'`);
  await transaction.run(`DELETE FROM leases AS l USING leased_copies AS n
    WHERE n.object_id = l.object_id AND n.rule = l.rule
      AND (l.backend_id IS NULL OR l.backend_id = n.backend_id)`);
  await transaction.run(
    `INSERT INTO leases SELECT DISTINCT object_id, backend_id, rule, make_timestamp($1::BIGINT)
     FROM leased_copies`,
    [micros(now)],
  );
}

/**
 * Leases whose copy is gone, was found bad, or was made anew, as the temporary tables
 * `last_changes` and `copies_before` say: whatever copy comes there next is another one.
 */
export async function endLeases(transaction: Transaction): Promise<void> {
  // Most indexes have none, and copies are written all the time.
  const some = await transaction.rows("SELECT 1 FROM leases LIMIT 1");
  if (some.length > 0) await transaction.run(detach);
}

const detach = `
  UPDATE leases SET backend_id = NULL
  FROM last_changes AS n
  WHERE leases.object_id = n.object_id AND leases.backend_id = n.backend_id
    AND (n.state <> 'present' OR NOT EXISTS (
      SELECT 1 FROM copies_before AS b WHERE b.object_id = n.object_id
        AND b.backend_id = n.backend_id AND b.state = 'present'))`;
