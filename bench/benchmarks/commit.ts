import type { Connection } from "#index/connection.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { commitsAtOnce } from "#jobs/dispatcher.ts";
import { segmentCid } from "#jobs/segment.ts";
import { batchObjectsMax, type CopyOutcome, type Run, type StepData } from "#model/run.ts";
import { copiedOutcomes } from "../copied-outcomes.ts";
import { copyPlan } from "../copy-plan.ts";
import { makeLargeIndex } from "../large-index.ts";
import { policyAsker } from "../bench-policies.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";
import { sampleTime } from "../sample-objects.ts";

const context = {
  now: sampleTime,
  permitTtlMs: 3_600_000,
  minimumCopies: 1,
  askPolicies: async () => new Map(),
};

type Reported = readonly [StepData, readonly CopyOutcome[]];

export default {
  name: "commit",
  about: "a run begun and its copies recorded, against the same rows staged and written",
  prepare: ({ folder, objects }) => makeLargeIndex(`${folder}/index.duckdb`, objects, ["cold"]),
  async measure(bench) {
    const index = await bench.openIndex();
    const bare = await bench.openDuckdb("bare.duckdb");
    await makeTables(bare, bench.objects);
    const evaluatedAt = sampleTime.toISOString();
    const plan = await copyPlan(index, {
      cid: "bench-plan",
      actions: bench.objects,
      target: "1",
      folder: bench.folder,
      evaluatedAt,
    });
    let run: Run | undefined;
    const began = await compare({
      what: "a run of all objects begun",
      rounds: 1,
      ours: async () => {
        run = await index.beginRun(plan, sampleTime);
      },
      peer: () => bare.run(`CREATE TABLE actions AS FROM read_parquet('${plan.rowsPath}')`),
      peerName: "its actions stored",
    });
    const rounds = await reportedRounds(bench, index, run?.id ?? "");
    const turns = { ours: rounds.values(), peer: rounds.values() };
    const recorded = await compare({
      what: "a batch of copies recorded",
      rounds: rounds.length,
      times: rounds[0]?.length ?? 1,
      ours: () => commitAll(index, turns.ours.next().value ?? []),
      peer: async () => {
        for (const [step, outcomes] of turns.peer.next().value ?? []) {
          await writeRows(bare, step, outcomes);
        }
      },
      peerName: "its rows staged and written",
    });
    return [began, recorded, ...(await questions(bench, index))];
  },
} satisfies Benchmark;

/** What is asked of policies before a batch of removals is permitted, again and again. */
async function questions(bench: Workbench, index: ObjectIndex): Promise<readonly Measurement[]> {
  const count = Math.min(batchObjectsMax, bench.objects);
  const from = Math.floor((bench.objects - count) / 2);
  const ids = Array.from({ length: count }, (_, at) => from + at);
  const measurements: Measurement[] = [];
  for (const kind of ["plain", "ranked"] as const) {
    const ask = await policyAsker(index, bench.folder, kind);
    measurements.push(
      await compare({
        what: `${kind} policies asked about a batch of removals`,
        rounds: bench.rounds,
        warm: true,
        ours: () => ask(ids, undefined),
        peer: () => readRows(index, ids),
        peerName: "the rows of its objects read",
      }),
    );
  }
  return measurements;
}

async function readRows(index: ObjectIndex, ids: readonly number[]): Promise<void> {
  await using session = await index.session();
  const text = `SELECT object_id, path, size, held, names FROM object
    WHERE object_id IN (SELECT unnest(string_split($1::VARCHAR, ',')::BIGINT[]))`;
  const rows = await session.rows({ text, parameters: [ids.join()] });
  if (rows.length !== ids.length) throw new Error("not every object has a row");
}

/** As many steps a round as arrive at once, with what workers would say about them. */
async function reportedRounds(
  bench: Workbench,
  index: ObjectIndex,
  run: string,
): Promise<readonly (readonly Reported[])[]> {
  const batches = await index.pendingBatches(run, "cold", commitsAtOnce * bench.rounds);
  const steps: Reported[] = [];
  for (const batch of batches) {
    const { number, from, to, planCid } = batch;
    const segment = segmentCid(await index.segment(planCid, from, to));
    const step: StepData = { ...batch, batch: number, segmentCid: segment };
    steps.push([step, await copiedOutcomes(index, step)]);
  }
  const perRound = Math.max(1, Math.floor(steps.length / bench.rounds));
  const count = Math.min(bench.rounds, steps.length);
  return Array.from({ length: count }, (_, at) => steps.slice(at * perRound, (at + 1) * perRound));
}

async function commitAll(index: ObjectIndex, steps: readonly Reported[]): Promise<void> {
  await Promise.all(steps.map(([step, outcomes]) => index.commitCopies(step, outcomes, context)));
}

async function makeTables(bare: Connection, objects: number): Promise<void> {
  await bare.run(`CREATE TABLE objects AS SELECT range AS object_id, 1::BIGINT AS present_mask,
      1::BIGINT AS listed_mask, 1::BIGINT AS sampled_mask, 1::BIGINT AS verified_mask,
      '2026-01-01'::TIMESTAMP AS oldest_verified
    FROM range(${objects})`);
  await bare.run(`CREATE TABLE copies (object_id BIGINT, backend_id INTEGER, form VARCHAR,
    locator VARCHAR, state VARCHAR, bytes BIGINT, confidence VARCHAR, checked_at TIMESTAMP)`);
  await bare.run("CREATE TABLE outcomes (sequence BIGINT, outcome VARCHAR)");
}

/** Nothing is asked and nothing is checked. */
async function writeRows(
  bare: Connection,
  step: StepData,
  outcomes: readonly CopyOutcome[],
): Promise<void> {
  const rows = outcomes.map((outcome) => {
    if (outcome.outcome !== "done") throw new Error(`${outcome.sequence} was not copied`);
    const { copy, evidence, sequence } = outcome;
    const checkedAt = new Date(evidence.checkedAt);
    return [sequence, [copy.locator].flat().join(""), copy.bytes, checkedAt];
  });
  const schema = {
    object_id: "BIGINT",
    locator: "VARCHAR",
    bytes: "BIGINT",
    checked_at: "TIMESTAMP",
  } as const;
  await bare.run("BEGIN");
  await bare.stage("copied", schema, rows);
  await bare.run(`INSERT INTO copies SELECT object_id, 1, 'file', locator, 'present', bytes,
    'verified', checked_at FROM copied`);
  await bare.run(`UPDATE objects SET present_mask = present_mask | 2,
      listed_mask = listed_mask | 2, sampled_mask = sampled_mask | 2,
      verified_mask = verified_mask | 2,
      oldest_verified = least(oldest_verified, copied.checked_at)
    FROM copied WHERE objects.object_id = copied.object_id`);
  await bare.run(`INSERT INTO outcomes SELECT object_id, 'done' FROM copied`);
  await bare.run("COMMIT");
  if (step.to - step.from !== rows.length) throw new Error("not every action has an outcome");
}
