import { micros } from "#index/connection.ts";
import {
  type OutcomeWindow,
  slideWindow,
  tooManyFailures,
} from "#index/failures/outcome-window.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import type { SqlRow } from "#model/sql.ts";

interface PolicyCount extends SqlRow {
  readonly policy: string;
  readonly done: number;
  readonly failed: number;
  readonly cause: string | null;
  readonly example: string | null;
  readonly suspend_at: number;
  readonly minimum: number;
  readonly counts: string | null;
}

/**
 * Adds the outcomes in the temporary table `new_outcomes` to the windows of their policies, and
 * suspends a policy whose share of failures has become too high. A policy that is suspended
 * already counts nothing: its window begins anew when it is released.
 */
export async function countForSuspension(
  transaction: Transaction,
  run: RunRecord,
  now: Date,
): Promise<void> {
  const { limited } = await transaction.row<{ limited: boolean }>(
    "SELECT EXISTS (FROM failure_limits WHERE suspend_at IS NOT NULL) AS limited",
  );
  if (!limited) return;
  for (const count of await transaction.rows<PolicyCount>(newCounts, [run.planKey])) {
    const { policy, suspend_at: suspendAt, minimum } = count;
    const before = JSON.parse(count.counts ?? "[]") as OutcomeWindow;
    const window = slideWindow(before, { done: count.done, failed: count.failed }, minimum);
    const excess = tooManyFailures(window, { suspendAt, minimum });
    await transaction.run("DELETE FROM outcome_windows WHERE policy = $1", [policy]);
    if (excess === undefined) {
      const counts = JSON.stringify(window);
      await transaction.run("INSERT INTO outcome_windows VALUES ($1, $2)", [policy, counts]);
    } else await suspend(transaction, run, count, excess, now);
  }
}

async function suspend(
  transaction: Transaction,
  run: RunRecord,
  { policy, suspend_at: suspendAt, cause, example }: PolicyCount,
  { failed, outcomes }: { readonly failed: number; readonly outcomes: number },
  now: Date,
): Promise<void> {
  const share = Math.round((100 * failed) / outcomes);
  const message =
    `${failed} of its last ${outcomes} actions failed (${share} %, suspended from ` +
    `${Math.round(suspendAt * 100)} % on), most often with ${cause}: ${example}`;
  await transaction.run(
    "INSERT INTO suspensions VALUES ($1, make_timestamp($2::BIGINT), $3, $4, $5)",
    [policy, micros(now), failed, outcomes, message],
  );
  transaction.record({
    at: now,
    kind: "suspension",
    runId: run.runId,
    planCid: run.planCid,
    outcome: "done",
    reason: policy,
    detail: { policy, failed, outcomes, message },
  });
}

const newCounts = `
  SELECT c.*, l.suspend_at, l.minimum, w.counts FROM (
    SELECT policy, sum(done)::BIGINT AS done, sum(failed)::BIGINT AS failed,
      max_by(code, (failed, code)) AS cause, max_by(example, (failed, code)) AS example
    FROM (
      SELECT split_part(p.rule, '/', 1) AS policy, n.code,
        count(*) FILTER (WHERE n.outcome = 'done') AS done,
        count(*) FILTER (WHERE n.outcome = 'failed') AS failed,
        min_by(n.message, n.sequence) AS example
      FROM new_outcomes AS n
      JOIN plan_actions AS p ON p.plan_key = $1 AND p.sequence = n.sequence
      WHERE n.outcome IN ('done', 'failed') GROUP BY 1, 2
    ) GROUP BY policy
  ) AS c JOIN failure_limits AS l USING (policy)
  LEFT JOIN outcome_windows AS w USING (policy)
  ANTI JOIN suspensions AS s USING (policy)
  WHERE l.suspend_at IS NOT NULL ORDER BY policy`;
