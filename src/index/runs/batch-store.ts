import type { Connection } from "#index/connection.ts";
import { needsMore } from "#index/runs/batch-needs.ts";
import { runRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import type { WorkGroup } from "#model/index-store.ts";
import type { Verb } from "#model/plan.ts";
import { isDoneOutside, type RunOrder } from "#model/run-order.ts";
import type { Batch, OutsideOrder } from "#model/run.ts";
import type { SqlRow, SqlValue } from "#model/sql.ts";

/** What batches that act alike for the same policy have in common, as text. */
const groupKey = (alias: string) =>
  `concat_ws('/', ${alias}.policy, ${alias}.verb, coalesce(${alias}.source, -1),
     coalesce(${alias}.target, -1), coalesce(${alias}.victim, -1))`;

/**
 * Batches to enqueue next on a lane, in plan order, without those that need others to end
 * first. Only a running run has any.
 */
export async function pendingBatches(
  connection: Connection,
  runId: string,
  lane: string,
  limit: number,
  held: readonly string[] = [],
): Promise<readonly Batch[]> {
  return await readBatches(
    connection,
    `r.run_id = $1 AND r.state = 'running' AND b.state = 'pending' AND b.lane = $2
       AND NOT ${needsMore("b")}
       AND NOT list_contains($4::JSON::VARCHAR[], ${groupKey("b")})
     ORDER BY b.number LIMIT $3`,
    [runId, lane, limit, JSON.stringify(held)],
  );
}

/** Queued batches with a number above `after`. */
export async function queuedBatches(
  connection: Connection,
  runId: string,
  after: number,
  limit: number,
): Promise<readonly Batch[]> {
  return await readBatches(
    connection,
    "r.run_id = $1 AND b.state = 'queued' AND b.number > $2 ORDER BY b.number LIMIT $3",
    [runId, after, limit],
  );
}

/** Work left, by what its batches have in common, in order of the first batch. */
export async function workGroups(
  connection: Connection,
  runId: string,
): Promise<readonly WorkGroup[]> {
  const rows = await connection.rows<GroupRow>(
    `SELECT ${groupKey("b")} AS key, b.lane, b.policy, b.verb, any_value(s.name) AS source,
       any_value(t.name) AS target, any_value(v.name) AS victim,
       count(*) FILTER (WHERE b.state = 'pending') AS pending,
       count(*) FILTER (WHERE b.state = 'pending' AND ${needsMore("b")}) AS blocked,
       count(*) FILTER (WHERE b.state = 'queued') AS queued
     FROM batches AS b JOIN runs AS r USING (run_key)
     LEFT JOIN backends AS s ON s.backend_id = b.source
     LEFT JOIN backends AS t ON t.backend_id = b.target
     LEFT JOIN backends AS v ON v.backend_id = b.victim
     WHERE r.run_id = $1 AND b.state <> 'done'
     GROUP BY ${groupKey("b")}, b.lane, b.policy, b.verb ORDER BY min(b.number)`,
    [runId],
  );
  return rows.map((row) => ({ runId, ...row }));
}

interface GroupRow extends SqlRow {
  readonly key: string;
  readonly lane: string;
  readonly policy: string;
  readonly verb: Verb;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  readonly pending: number;
  readonly blocked: number;
  readonly queued: number;
}

/** Notes that flows were made for pending batches. */
export async function markQueued(
  transaction: Transaction,
  runId: string,
  numbers: readonly number[],
): Promise<void> {
  const { runKey } = await runRecord(transaction.connection, runId);
  await stageNumbers(transaction, numbers);
  await transaction.run(
    `UPDATE batches SET state = 'queued'
     WHERE run_key = $1 AND state = 'pending' AND number IN (FROM batch_numbers)`,
    [runKey],
  );
}

/**
 * Makes queued batches pending under a new attempt; all, or those numbered. One that was
 * cancelled since it was looked at stays queued: nobody would enqueue it, and its end is near.
 */
export async function requeue(
  transaction: Transaction,
  runId: string,
  numbers: readonly number[] | undefined,
): Promise<number> {
  const { runKey } = await runRecord(transaction.connection, runId);
  await stageNumbers(transaction, numbers ?? []);
  return await transaction.run(
    `UPDATE batches SET state = 'pending', attempt = attempt + 1
     WHERE run_key = $1 AND state = 'queued' AND cancel_reason IS NULL
       AND ($2 OR number IN (FROM batch_numbers))`,
    [runKey, numbers === undefined],
  );
}

async function stageNumbers(transaction: Transaction, numbers: readonly number[]): Promise<void> {
  await transaction.stage(
    "batch_numbers",
    { number: "BIGINT" },
    numbers.map((number) => [number]),
  );
}

async function readBatches(
  connection: Connection,
  condition: string,
  parameters: readonly SqlValue[],
): Promise<readonly Batch[]> {
  const rows = await connection.rows<BatchRow>(
    `SELECT r.run_id, r.plan_cid, b.*,
       b.done + b.skipped + b.failed + b.cancelled AS ended, s.name AS source_name, t.name AS target_name,
       v.name AS victim_name
     FROM batches AS b JOIN runs AS r USING (run_key)
     LEFT JOIN backends AS s ON s.backend_id = b.source
     LEFT JOIN backends AS t ON t.backend_id = b.target
     LEFT JOIN backends AS v ON v.backend_id = b.victim
     WHERE ${condition}`,
    parameters,
  );
  const batches: Batch[] = [];
  for (const row of rows) batches.push(await batchOf(connection, row));
  return batches;
}

async function batchOf(connection: Connection, row: BatchRow): Promise<Batch> {
  const ended = row.ended === 0 ? [] : await endedActions(connection, row);
  const outside = isDoneOutside(row.verb) ? await outsideOrder(connection, row) : undefined;
  return {
    runId: row.run_id,
    planCid: row.plan_cid,
    number: row.number,
    policy: row.policy,
    verb: row.verb,
    source: row.source_name,
    target: row.target_name,
    victim: row.victim_name,
    from: row.first,
    to: row.past,
    actions: row.past - row.first,
    bytes: row.bytes,
    state: row.state,
    attempt: row.attempt,
    ...(ended.length === 0 ? {} : { ended }),
    ...(outside === undefined ? {} : { outside }),
    ...(row.cancel_reason === null ? {} : { cancelReason: row.cancel_reason }),
  };
}

/** Actions that have an outcome before their batch goes to a worker, who leaves them out. */
async function endedActions(connection: Connection, row: BatchRow): Promise<readonly number[]> {
  const outcomes = await connection.rows<{ sequence: number }>(
    `SELECT sequence FROM outcomes WHERE run_key = $1 AND sequence >= $2 AND sequence < $3
     ORDER BY sequence`,
    [row.run_key, row.first, row.past],
  );
  return outcomes.map(({ sequence }) => sequence);
}

/** What the one rule of a batch has done outside, as the header of the plan says. */
async function outsideOrder(
  connection: Connection,
  { run_key, first }: BatchRow,
): Promise<OutsideOrder | undefined> {
  const [row] = await connection.rows<{ rule: string; orders: string | null }>(
    `SELECT p.rule, json_extract(l.header, '$.orders')::VARCHAR AS orders
     FROM runs AS r JOIN plans AS l USING (plan_key) JOIN plan_actions AS p USING (plan_key)
     WHERE r.run_key = $1 AND p.sequence = $2`,
    [run_key, first],
  );
  const orders = JSON.parse(row?.orders ?? "{}") as Readonly<Record<string, RunOrder>>;
  const order = orders[row?.rule ?? ""];
  return row === undefined || order === undefined ? undefined : { rule: row.rule, order };
}

interface BatchRow extends SqlRow {
  readonly run_key: number;
  readonly run_id: string;
  readonly ended: number;
  readonly cancel_reason: string | null;
  readonly plan_cid: string;
  readonly number: number;
  readonly policy: string;
  readonly verb: Verb;
  readonly source_name: string | null;
  readonly target_name: string | null;
  readonly victim_name: string | null;
  readonly first: number;
  readonly past: number;
  readonly bytes: number;
  readonly state: Batch["state"];
  readonly attempt: number;
}
