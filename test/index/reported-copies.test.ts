import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { reportedCopy, reportedEvidence } from "#model/reported-copy.ts";
import type { CopyOutcome } from "#model/run.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, evidenceOf, onlyBatch } from "./run-steps.ts";

const copyOf = (number: number) => ({
  locator: `objects/${cidOf(number).slice(-3)}/${cidOf(number)}.car`,
  form: "car" as const,
  bytes: 120,
});

test("a report without CIDs leaves the same copies and the same ledger as one with them", async () => {
  const whole = await recorded((number) => ({
    copy: copyOf(number),
    evidence: evidenceOf(number, "cold"),
  }));
  const short = await recorded((number) => ({
    copy: reportedCopy(copyOf(number), cidOf(number)),
    evidence: reportedEvidence(evidenceOf(number, "cold"), cidOf(number)),
  }));
  expect(short).toEqual(whole);
  expect(short.locators).toEqual([0, 1].map((number) => copyOf(number).locator));
  expect(short.details.map((detail) => JSON.parse(detail).evidence)).toEqual(
    [0, 1].map((number) => evidenceOf(number, "cold")),
  );
});

test("evidence that names another object than its action's is refused as before", async () => {
  const { progress } = await recorded((number) => ({
    copy: reportedCopy(copyOf(number), cidOf(number)),
    evidence: reportedEvidence(evidenceOf(1 - number, "cold"), cidOf(number)),
  }));
  expect(progress).toMatchObject({ done: 0, failed: 2 });
  expect(progress.causes[0]?.example).toContain("another object");
});

type Report = Pick<Extract<CopyOutcome, { outcome: "done" }>, "copy" | "evidence">;

/** What an index knows after a worker reported so about two objects. */
async function recorded(report: (number: number) => Report) {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const plan = await makePlan(index, folder, [
    { verb: "replicate", object: 0, source: 0, target: 2 },
    { verb: "replicate", object: 1, source: 0, target: 2 },
  ]);
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "cold"));
  const outcomes = [0, 1].map((number): CopyOutcome => {
    return { sequence: number, outcome: "done", moved: true, ...report(number) };
  });
  // As it comes out of the queue.
  await index.commitCopies(step, JSON.parse(JSON.stringify(outcomes)), context());
  const locators = await texts(
    index,
    "locator FROM copy WHERE backend = 'cold' ORDER BY object_id",
  );
  const details = await texts(index, "detail FROM ledger WHERE kind = 'outcome' ORDER BY sequence");
  const [{ progress } = run] = await index.runs();
  return { locators, details, progress };
}

async function texts(index: ObjectIndex, text: string): Promise<readonly string[]> {
  await using session = await index.session();
  const rows = await session.rows({ text: `SELECT ${text}`, parameters: [] });
  return rows.flatMap((row) => Object.values(row).map(String));
}
