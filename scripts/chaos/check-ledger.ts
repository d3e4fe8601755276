import type { Stage } from "./stage.ts";

/** What the index and its ledger say about everything that happened. */
export interface LedgerFacts {
  readonly runs: Readonly<Record<string, number>>;
  readonly actions: Readonly<Record<"done" | "skipped" | "failed" | "cancelled", number>>;
  readonly bytesMoved: number;
  readonly permits: number;
  readonly removals: number;
  /** Removals whose worker never reported: proven by asking the backend. */
  readonly removalsSettled: number;
  /** Removals that the ledger does not prove, with an example each. */
  readonly unproven: readonly string[];
  /** Actions of ended runs with no outcome, or with several. */
  readonly withoutOutcome: readonly string[];
  readonly openPermits: readonly string[];
  /** What became of the times at which a schedule was due, by outcome. */
  readonly schedule: Readonly<Record<string, number>>;
  /** Times of a schedule that started two runs, or runs that two of them claim. */
  readonly startedTwice: readonly string[];
  /** Copies that were found missing or damaged although nothing explains it. */
  readonly unexplained: readonly string[];
}

/** Reads the ledger and compares: permits, proofs, outcomes, drift. */
export async function checkLedger(stage: Stage): Promise<LedgerFacts> {
  const api = await stage.api();
  const rows = async (text: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const all = [];
    for await (const chunk of api.query(text)) all.push(...chunk.rows);
    return all;
  };
  const lines = async (text: string) => (await rows(text)).map((row) => String(row["line"]));
  const count = async (text: string) => Number((await rows(text))[0]?.["n"]);
  const runs = await api.runs();
  const states: Record<string, number> = {};
  const actions = { done: 0, skipped: 0, failed: 0, cancelled: 0 };
  let bytesMoved = 0;
  const withoutOutcome = await lines(doubleOutcomes);
  const recorded = new Map(
    (await rows(outcomesOfRuns)).map((row) => [String(row["run_id"]), Number(row["n"])]),
  );
  for (const { id, state, progress } of runs) {
    states[state] = (states[state] ?? 0) + 1;
    bytesMoved += progress.bytesDone;
    for (const name of ["done", "skipped", "failed", "cancelled"] as const) {
      actions[name] += progress[name];
    }
    const outcomes = recorded.get(id) ?? 0;
    if (outcomes === progress.actions && progress.remaining === 0) continue;
    withoutOutcome.push(`${id}: ${progress.actions} actions, ${outcomes} outcomes`);
  }
  const drift = await rows(unexplainedDrift);
  return {
    runs: states,
    actions,
    bytesMoved,
    permits: await count("SELECT count(*) AS n FROM ledger WHERE kind = 'permit'"),
    removals: await count("SELECT count(*) AS n FROM ledger WHERE kind = 'proof'"),
    removalsSettled: await count(
      "SELECT count(*) AS n FROM ledger WHERE kind = 'proof' AND reason <> 'removed'",
    ),
    unproven: [...(await lines(proofsWithoutPermit)), ...(await lines(proofsWithoutEvidence))],
    withoutOutcome,
    openPermits: await lines(openPermits),
    schedule: Object.fromEntries(
      (await rows(scheduleOutcomes)).map((row) => [String(row["reason"]), Number(row["n"])]),
    ),
    startedTwice: await lines(startedTwice),
    unexplained: drift
      .map((row) => `${String(row["cid"])} ${String(row["backend"])}`)
      .filter((copy) => !stage.faults.destroyed.has(copy)),
  };
}

const doubleOutcomes = `
  SELECT concat(run_id, ' action ', sequence, ': ', count(*), ' outcomes') AS line FROM ledger
  WHERE kind = 'outcome' GROUP BY run_id, sequence HAVING count(*) > 1`;

const outcomesOfRuns =
  "SELECT run_id, count(*) AS n FROM ledger WHERE kind = 'outcome' GROUP BY run_id";

/** Every proof names a permit that was recorded before it, for the same object and backend. */
const proofsWithoutPermit = `
  SELECT concat('proof ', p.entry_id, ' without its permit: ', p.detail) AS line
  FROM ledger AS p LEFT JOIN (
    SELECT detail ->> 'permit' AS permit, object_id, detail ->> 'backend' AS backend,
      min(entry_id) AS issued
    FROM ledger WHERE kind = 'permit' GROUP BY ALL
  ) AS m ON m.permit = (p.detail ->> 'permit') AND m.object_id = p.object_id
    AND m.backend = (p.detail ->> 'backend')
  WHERE p.kind = 'proof' AND (m.issued IS NULL OR m.issued > p.entry_id)`;

/** A copy that a worker removed: each reserved copy was seen, after the permit was issued. */
const proofsWithoutEvidence = `
  WITH promised AS (
    SELECT detail ->> 'permit' AS permit, recorded,
      unnest(from_json(detail -> 'reserved', '[{"backend":"VARCHAR"}]')).backend AS backend
    FROM ledger WHERE kind = 'permit'
  ), removed AS (
    SELECT entry_id, detail ->> 'permit' AS permit, detail FROM ledger
    WHERE kind = 'proof' AND reason = 'removed'
  ), seen AS (
    SELECT permit, evidence.backend AS backend, max(evidence.checkedAt) AS checked_at FROM (
      SELECT permit, unnest(from_json(detail -> 'evidence',
        '[{"backend":"VARCHAR","finding":"VARCHAR","checkedAt":"TIMESTAMP"}]')) AS evidence
      FROM removed
    ) WHERE evidence.finding = 'present' GROUP BY ALL
  )
  SELECT concat('proof ', r.entry_id, ' lacks ', p.backend, ': ', r.detail) AS line
  FROM removed AS r JOIN promised AS p USING (permit)
  LEFT JOIN seen AS s ON s.permit = r.permit AND s.backend = p.backend
  WHERE s.checked_at IS NULL OR s.checked_at < p.recorded - INTERVAL 1 SECOND`;

const openPermits = `
  SELECT concat(run_id, ' action ', sequence, ': permit without outcome') AS line FROM ledger AS m
  WHERE kind = 'permit' AND NOT EXISTS (
    FROM ledger AS o WHERE o.kind = 'outcome' AND o.run_id = m.run_id
      AND o.sequence = m.sequence)`;

const scheduleOutcomes =
  "SELECT reason, count(*) AS n FROM ledger WHERE kind = 'schedule' GROUP BY reason";

const startedTwice = `
  SELECT concat(detail ->> 'policy', ' at ', detail ->> 'occurrence', ': ', count(*), ' starts')
    AS line
  FROM ledger WHERE kind = 'schedule' AND reason = 'started'
  GROUP BY detail ->> 'policy', detail ->> 'occurrence' HAVING count(*) > 1
  UNION ALL
  SELECT concat(run_id, ': started ', count(*), ' times') AS line
  FROM ledger WHERE kind = 'schedule' AND reason = 'started' GROUP BY run_id HAVING count(*) > 1`;

/** Found missing or corrupt, and not because the engine removed it with a proof. */
const unexplainedDrift = `
  SELECT d.detail -> 'evidence' ->> 'cid' AS cid, d.detail -> 'evidence' ->> 'backend' AS backend
  FROM ledger AS d WHERE d.kind = 'drift' AND NOT EXISTS (
    FROM ledger AS p WHERE p.kind = 'proof' AND p.object_id = d.object_id
      AND (p.detail ->> 'backend') = (d.detail -> 'evidence' ->> 'backend'))`;
