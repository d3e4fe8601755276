import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import { type AuditCheck, auditChecks, type AuditReport } from "#model/audit.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf, onlyBatch } from "./run-steps.ts";

/** What somebody would have to do to the database for a check to find something. */
const damage: Readonly<Record<AuditCheck, string>> = {
  "no-outcome": "DELETE FROM outcomes WHERE sequence = 1",
  "two-outcomes": "INSERT INTO outcomes FROM outcomes WHERE sequence = 0",
  "outcome-not-in-ledger":
    "UPDATE ledger_entries SET outcome = 'failed' WHERE kind = 'outcome' AND sequence = 2",
  "wrong-count": "UPDATE batches SET done = done + 1, failed = failed - 1",
  "removal-without-proof":
    "UPDATE ledger_entries SET kind = 'refusal' WHERE kind = 'proof' AND sequence = 0",
  "proof-without-permit":
    "UPDATE ledger_entries SET kind = 'refusal' WHERE kind = 'permit' AND sequence = 0",
  "proof-without-evidence": `
    UPDATE ledger_entries SET detail = replace(detail, '"finding":"present"', '"finding":"absent"')
    WHERE kind = 'proof' AND sequence = 1`,
  "open-permit": "UPDATE permits SET state = 'unknown' WHERE sequence = 2",
  "ledger-gap": "DELETE FROM ledger_entries WHERE kind = 'run' AND reason = 'ended'",
  "wrong-figure": "UPDATE objects SET verified_mask = 7 WHERE object_id = 1",
};

test("nothing is found in a run that ended as it should", async () => {
  const { report } = await endedRun();
  expect(report).toEqual({
    runs: 1,
    actions: 3,
    outcomes: { done: 3, skipped: 0, failed: 0, cancelled: 0 },
    permits: 3,
    proofs: 3,
    settlements: 0,
    entries: 1 + 3 + 3 + 3 + 1,
    findings: [],
  });
});

test.each(Object.keys(auditChecks) as AuditCheck[])(
  "the check %s finds its damage",
  async (check) => {
    const { path } = await endedRun();
    await onDatabase(path, [damage[check]]);
    const index = await ObjectIndex.open(path, { now: () => start });
    const { findings } = await index.checkAudit();
    await index.close();
    const found = findings.find((finding) => finding.check === check);
    expect(findings.map((finding) => finding.check)).toContain(check);
    expect(found?.count).toBeGreaterThan(0);
    expect(found?.examples[0]).toMatch(/\d/);
  },
);

test("single defects among many thousand entries are found, and nothing else", async () => {
  const { path } = await endedRun();
  await onDatabase(path, repeated(1_000));
  const index = await ObjectIndex.open(path, { now: () => start });
  const whole = await index.checkAudit();
  await index.close();
  expect(whole).toMatchObject({ runs: 1_001, entries: 1_001 * 11, findings: [] });
  await onDatabase(path, [
    "DELETE FROM outcomes WHERE run_key = 78 AND sequence = 1",
    "UPDATE ledger_entries SET kind = 'x' WHERE run_id = 'again-99' AND kind = 'proof' AND sequence = 2",
  ]);
  const damaged = await ObjectIndex.open(path, { now: () => start });
  const { findings } = await damaged.checkAudit();
  await damaged.close();
  expect(findings).toEqual([
    { check: "no-outcome", count: 1, examples: ["again-77 action 1"] },
    {
      check: "outcome-not-in-ledger",
      count: 1,
      examples: ["again-77 action 1: nothing here, done in the ledger"],
    },
    { check: "wrong-count", count: 1, examples: ["again-77 batch 0: counts 3, has 2"] },
    { check: "removal-without-proof", count: 1, examples: ["again-99 action 2 on hot"] },
  ]);
});

/** Statements that repeat the only run with all that was recorded of it. */
function repeated(times: number): readonly string[] {
  const again = `range(1, ${times + 1}) AS again(i)`;
  const runKey = "REPLACE (run_key + i AS run_key";
  const entries = "(SELECT count(*) FROM ledger_entries)";
  return [
    "CREATE TABLE first_entries AS FROM ledger_entries",
    `INSERT INTO runs SELECT * EXCLUDE (i) ${runKey}, 'again-' || i AS run_id) FROM runs, ${again}`,
    ...["batches", "outcomes"].map(
      (table) =>
        `INSERT INTO ${table} SELECT * EXCLUDE (i) ${runKey}) FROM ${table}, ${again}
         WHERE run_key = 1`,
    ),
    `INSERT INTO permits SELECT * EXCLUDE (i) ${runKey}, permit_id || '-' || i AS permit_id)
     FROM permits, ${again} WHERE run_key = 1`,
    `INSERT INTO ledger_entries SELECT * EXCLUDE (i) REPLACE (
       entry_id + i * ${entries} AS entry_id, 'again-' || i AS run_id,
       regexp_replace(detail, '"permit":"([^"]*)"', '"permit":"\\1-' || i || '"') AS detail)
     FROM first_entries, ${again}`,
    `UPDATE counters SET next_entry = (SELECT max(entry_id) + 1 FROM ledger_entries)`,
    "DROP TABLE first_entries",
  ];
}

async function onDatabase(path: string, statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

/** An index in which three objects were demoted from hot to cold. */
async function endedRun(): Promise<{ path: string; report: AuditReport }> {
  const { index, path, folder } = await openIndex();
  const numbers = [0, 1, 2];
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const demote = { verb: "demote", source: 0, target: 2, victim: 0 } as const;
  const plan = await makePlan(
    index,
    folder,
    numbers.map((object) => ({ ...demote, object })),
  );
  const run = await index.beginRun(plan, start);
  const batch = await onlyBatch(index, run.id, "cold");
  await index.markQueued(run.id, [batch.number]);
  const step = stepOf(batch);
  const copies = numbers.map((number) => copied(number, number, "cold"));
  const { permits } = await index.commitCopies(step, copies, context());
  await index.commitRemovals(
    step,
    permits.map(({ id, sequence }) => {
      const proof = { permitId: id, evidence: [evidenceOf(sequence, "cold")] };
      return { sequence, outcome: "done", result: "removed", proof } as const;
    }),
    start,
  );
  await index.finishRuns(start);
  const report = await index.checkAudit();
  await index.close();
  return { path, report };
}
