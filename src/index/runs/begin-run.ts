import { access } from "node:fs/promises";
import { micros } from "#index/connection.ts";
import { requireBudgets } from "#index/costs/require-budgets.ts";
import { reserveCosts } from "#index/costs/reserve-costs.ts";
import { storeBatchNeeds } from "#index/runs/batch-needs.ts";
import { type BatchKind, type BatchRange, cutBatches } from "#index/runs/cut-batches.ts";
import { readRuns } from "#index/runs/run-record.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { Transaction } from "#index/transaction.ts";
import { isDoneOutside, outsideLane, runActions } from "#model/run-order.ts";
import { EngineError } from "#model/engine-error.ts";
import { type Plan, planColumns } from "#model/plan.ts";
import type { Run, RunStart, RunState } from "#model/run.ts";
import type { SqlRow } from "#model/sql.ts";

/** The lane of batches on which no backend acts. */
export const indexLane = "index";

/** Starts a run of a plan; a running run of it is answered as it is. */
export async function beginRun(
  transaction: Transaction,
  plan: Plan,
  now: Date,
  start: RunStart = {},
): Promise<string> {
  const [live] = await transaction.rows<{ run_id: string }>(
    "SELECT run_id FROM runs WHERE plan_cid = $1 AND state IN ('running', 'paused')",
    [plan.cid],
  );
  if (live !== undefined) return live.run_id;
  const row = await addRun(transaction, plan, now, start, "running");
  await fillRun(transaction, row, plan, now, start);
  return row.runId;
}

/** The row of a run that has no batches yet. */
export interface AddedRun {
  readonly runKey: number;
  readonly planKey: number;
  readonly runId: string;
}

/** Names a run, before it has anything to do. */
export async function addRun(
  transaction: Transaction,
  plan: Plan,
  now: Date,
  start: RunStart,
  state: Extract<RunState, "running" | "awaiting-approval">,
): Promise<AddedRun> {
  const planKey = transaction.takeIds("plan", 1);
  const runKey = transaction.takeIds("run", 1);
  // The tail of the plan's CID keeps ids apart when an index was lost and counts anew.
  const runId = `run-${runKey}-${plan.cid.slice(-8)}`;
  const { priority = 0, origin = "apply" } = start;
  await transaction.run(
    `INSERT INTO runs (run_key, run_id, plan_key, plan_cid, state, created_at, priority, origin)
     VALUES ($1, $2, $3, $4, $5, make_timestamp($6::BIGINT), $7, $8)`,
    [runKey, runId, planKey, plan.cid, state, micros(now), priority, origin],
  );
  return { runKey, planKey, runId };
}

/**
 * Stores the plan of a run, reserves what it costs, cuts its batches, and marks its copies as in
 * flight. Throws STALE_PLAN when a budget of the plan does not have that any more.
 */
export async function fillRun(
  transaction: Transaction,
  { runKey, planKey, runId }: AddedRun,
  plan: Plan,
  now: Date,
  start: RunStart,
): Promise<void> {
  await storePlan(transaction, plan, planKey);
  await reserveCosts(transaction, { runKey }, plan);
  await requireBudgets(transaction, runKey, plan.header.budgets ?? [], now);
  const kinds = await planKinds(transaction);
  await storeBatches(transaction, runKey, kinds);
  await storeBatchNeeds(transaction, runKey, planKey);
  await markInFlight(transaction, kinds);
  await transaction.run("DROP VIEW plan_rows");
  transaction.record({
    at: now,
    kind: "run",
    runId,
    planCid: plan.cid,
    reason: "started",
    detail: {
      actions: plan.header.totals.actions,
      evaluatedAt: plan.evaluatedAt,
      origin: start.origin ?? "apply",
      ...(start.override === undefined ? {} : { override: start.override }),
    },
  });
}

/** The run that `beginRun` named. */
export async function startedRun(transaction: Transaction, runId: string): Promise<Run> {
  const [run] = await readRuns(transaction.connection, runId);
  if (run === undefined) throw new EngineError("INTERNAL", `run ${runId} was not stored`);
  return run;
}

async function storePlan(transaction: Transaction, plan: Plan, planKey: number): Promise<void> {
  await access(plan.rowsPath).catch((cause: unknown) => {
    throw new EngineError(
      "UNREADABLE",
      `the rows of plan ${plan.cid} are not at ${plan.rowsPath}`,
      {
        hint: "keep the .plan.parquet file beside the .plan.json file, or plan again",
        cause,
      },
    );
  });
  const columns = planColumns.map(([name, type]) => `${name}::${type} AS ${name}`).join(", ");
  // Read where they are wanted: ten million of them would fill the memory of the index.
  await transaction.run(
    `CREATE OR REPLACE TEMP VIEW plan_rows AS SELECT ${columns}, file_row_number AS place
     FROM read_parquet(${sqlLiteral(plan.rowsPath)}, file_row_number = true)`,
  );
  await refuseStrangeRows(transaction, plan);
  await transaction.run("INSERT INTO plans VALUES ($1, $2, $3, $4)", [
    planKey,
    plan.cid,
    plan.evaluatedAt,
    JSON.stringify(plan.header),
  ]);
  await transaction.run(
    `INSERT INTO plan_actions
     SELECT $1, sequence, verb, object_id, source, target, victim, rule, reason,
       nullif(requirements, '[]')
     FROM plan_rows`,
    [planKey],
  );
}

/** A plan must fit this index: sequences as the rows stand, known objects and backends. */
async function refuseStrangeRows(transaction: Transaction, plan: Plan): Promise<void> {
  const found = await transaction.row<{ actions: number; dense: boolean; backends: number }>(
    actsOfPlan,
  );
  const { objects } = await transaction.row<{ objects: number }>(unknownObjects);
  const expected = plan.header.totals.actions;
  if (found.actions !== expected || !found.dense) {
    throw new EngineError(
      "CORRUPT",
      `plan ${plan.cid} names ${expected} actions, its rows file has ${found.actions}` +
        (found.dense ? "" : " with gaps, doubles or out of order"),
      { hint: "make the plan again" },
    );
  }
  if (objects + found.backends === 0) return;
  throw new EngineError(
    "STALE_PLAN",
    `${objects} actions of plan ${plan.cid} are about objects this index does not have, ` +
      `${found.backends} about unknown backends`,
    { hint: "make the plan again on this index" },
  );
}

const actsOfPlan = `
  SELECT coalesce(sum(actions), 0)::BIGINT AS actions, coalesce(bool_and(dense), TRUE) AS dense,
    coalesce(sum(actions) FILTER (WHERE NOT list_has_all((SELECT list(backend_id) FROM backends),
      list_filter([source, target, victim], lambda b: b IS NOT NULL))), 0)::BIGINT AS backends
  FROM (
    SELECT source, target, victim, count(*) AS actions, bool_and(sequence = place) AS dense
    FROM plan_rows GROUP BY source, target, victim)`;

// Hashes, because the CIDs of a large plan do not fit into the memory of the index.
const unknownObjects = `
  SELECT count(*) AS objects
  FROM (SELECT object_id, hash(cid, size) AS content FROM plan_rows) AS p
  ANTI JOIN (SELECT object_id, hash(cid, size) AS content FROM objects) AS o
    USING (object_id, content)`;

/** The kinds of actions in the plan, which are few however many actions there are. */
async function planKinds(transaction: Transaction): Promise<readonly BatchKind[]> {
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE plan_kinds AS
     SELECT (row_number() OVER () - 1)::INTEGER AS place, * FROM (
       SELECT DISTINCT verb, source, target, victim, rule FROM plan_rows)`,
  );
  return await transaction.rows<BatchKind & SqlRow>(
    `SELECT split_part(rule, '/', 1) AS policy, verb, source, target, victim,
       CASE WHEN verb IN (${outsideVerbs}) THEN rule END AS rule
     FROM plan_kinds ORDER BY place`,
  );
}

async function storeBatches(
  transaction: Transaction,
  runKey: number,
  kinds: readonly BatchKind[],
): Promise<void> {
  const actions = transaction.connection.columns({ text: actionsToCut, parameters: [] });
  const ranges = await cutBatches(actions, kinds);
  await transaction.stage(
    "new_batches",
    {
      number: "BIGINT",
      policy: "VARCHAR",
      verb: "VARCHAR",
      source: "INTEGER",
      target: "INTEGER",
      victim: "INTEGER",
      first: "BIGINT",
      past: "BIGINT",
      bytes: "BIGINT",
    },
    ranges.map((range, number) => batchRow(range, number)),
  );
  await transaction.run(insertBatches, [runKey]);
}

/** As numbers: the text of ten million actions would be read for the sake of a few kinds. */
const actionsToCut = `
  SELECT p.sequence::DOUBLE AS sequence, k.place, p.size::DOUBLE AS size
  FROM plan_rows AS p JOIN plan_kinds AS k ON k.verb = p.verb AND k.rule = p.rule
    AND k.source IS NOT DISTINCT FROM p.source AND k.target IS NOT DISTINCT FROM p.target
    AND k.victim IS NOT DISTINCT FROM p.victim
  ORDER BY p.sequence`;

function batchRow(range: BatchRange, number: number): readonly (string | number | null)[] {
  const { policy, verb, source, target, victim, first, past, bytes } = range;
  // What counts as moved is what copies carry.
  const moved = target === null ? 0 : bytes;
  return [number, policy, verb, source, target, victim, first, past, moved];
}

const outsideVerbs = runActions
  .filter(isDoneOutside)
  .map((verb) => `'${verb}'`)
  .join(", ");

const insertBatches = `
  INSERT INTO batches (run_key, number, verb, source, target, victim, lane, first, past, bytes,
    state, attempt, done, skipped, failed, cancelled, bytes_done, policy)
  SELECT $1, n.number, n.verb, n.source, n.target, n.victim,
    coalesce(b.name, CASE WHEN n.verb IN (${outsideVerbs}) THEN '${outsideLane}' END,
      '${indexLane}'), n.first, n.past, n.bytes, 'pending', 0, 0, 0, 0, 0, 0,
    n.policy
  FROM new_batches AS n LEFT JOIN backends AS b
    ON b.backend_id = coalesce(n.target, n.victim, CASE WHEN n.verb = 'verify' THEN n.source END)
  ORDER BY n.number`;

/**
 * Target by target, because objects are then updated in their own order and nothing is grouped:
 * for ten million actions that takes less than half of the time.
 */
async function markInFlight(transaction: Transaction, kinds: readonly BatchKind[]): Promise<void> {
  for (const target of new Set(kinds.map((kind) => kind.target))) {
    if (target === null) continue;
    await transaction.run(
      `UPDATE objects SET in_flight_mask = in_flight_mask | (1::BIGINT << $1)
       WHERE object_id IN (SELECT object_id FROM plan_rows WHERE target = $1)`,
      [target],
    );
  }
}
