/**
 * What a plan costs against SQL written by hand for the same answer, and twenty rules in one
 * evaluation against twenty scans. Both sides run in turn on the same synthetic index; the
 * ratios are what to compare between machines.
 *
 *     node bench/plan.ts [objects, default 1000000]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { rowsAt } from "#jobs/plan-file.ts";
import { Connection } from "#index/connection.ts";
import { IndexSession } from "#index/read-session.ts";
import { type Backend, freeOfCharge } from "#model/backend.ts";
import { indexViews } from "#model/index-views.ts";
import type { CompiledPolicySet, CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { Planning } from "#policies/plan/planning.ts";
import { scanCandidates } from "#policies/plan/scan-candidates.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

const objects = Number(process.argv[2] ?? 1_000_000);
const rounds = 4;
const now = new Date("2026-06-01T00:00:00Z");
const monthAgo = now.getTime() - 30 * 86_400_000;
const budget = 2e5 * objects;

const cold = sql`(coalesce(o.accessed, o.ingested) < make_timestamp(${monthAgo * 1_000}::BIGINT)
  AND o.heat_weight < ${0.5}::DOUBLE AND o.size >= ${1_048_576}::BIGINT)`;

const backends: readonly Backend[] = (["hot", "warm", "cold"] as const).map((tier, id) => ({
  id,
  name: tier,
  driver: "local",
  tier,
  region: undefined,
  labels: {},
  capacityBytes: undefined,
  usedBytes: 0,
  freeBytes: undefined,
  cordoned: false,
  price: freeOfCharge,
  capabilities: {
    forms: ["file"],
    operations: ["read", "write", "remove", "list", "verify"],
    confidence: ["verified"],
    ranges: "bytes",
    create: "atomic",
    bytesMax: undefined,
  },
}));

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const instance = await DuckDBInstance.create(join(folder, "bench.duckdb"), { threads: "2" });
try {
  const writer = new Connection(await instance.connect());
  await fill(writer);
  await comparePlan(writer);
  await compareRules();
  writer.close();
} finally {
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
}

/** Objects in order of creation: a third of them on hot only, the rest with a colder copy. */
async function fill(writer: Connection): Promise<void> {
  await writer.run("CREATE TABLE counters AS SELECT 0::BIGINT AS commits");
  for (const [view, columns] of Object.entries(indexViews)) {
    const definitions = Object.entries(columns).map(([name, [type]]) => `"${name}" ${type}`);
    await writer.run(`CREATE TABLE "${view}" (${definitions.join(", ")})`);
  }
  await writer.run(`INSERT INTO object BY NAME
    SELECT range AS object_id, unhex('01551220' || sha256(range::VARCHAR)) AS cid,
      (exp(6 + (hash(range, 1) % 1000) / 80.0))::BIGINT AS size, 'unixfs-v1' AS profile,
      '/data/' || range AS path, 1 AS names, 'text/plain' AS type,
      make_timestamp(${now.getTime() * 1_000} - (${objects} - range) * 60000000) AS created,
      created AS ingested, make_timestamp(${now.getTime() * 1_000}
        - (hash(range, 2) % 90)::BIGINT * 86400000000) AS accessed,
      0 AS reads, (hash(range, 3) % 1000) / 250.0 AS heat_weight,
      CASE hash(range, 4) % 3 WHEN 0 THEN 1 WHEN 1 THEN 3 ELSE 5 END AS present_mask,
      present_mask AS listed_mask, present_mask AS sampled_mask, present_mask AS verified_mask,
      0 AS in_flight_mask, false AS held
    FROM range(${objects})`);
  await writer.run("CHECKPOINT");
}

/** One demote with order and byte limit, rows written to Parquet, on both sides. */
async function comparePlan(writer: Connection): Promise<void> {
  const rule = ruleOf("cool", { kind: "demote", from: 1n, to: 4n }, cold, {
    order: [{ key: sql`o.heat_weight`, descending: false }],
    limit: { objects: undefined, bytes: budget },
  });
  const byHand: number[] = [];
  const planned: number[] = [];
  let rows = 0;
  for (let round = 0; round < rounds; round += 1) {
    byHand.push(await timed(async () => await planByHand(writer)));
    planned.push(
      await timed(async () => {
        await using session = await openSession();
        const plan = await buildPlan(setOf(rule), session, {
          engine: "bench",
          indexVersion: 1,
          writeRows: rowsAt(join(folder, "plan.parquet")),
        });
        rows = plan.header.totals.actions;
      }),
    );
  }
  report(`one demote with order and limit, ${rows} actions`, planned, byHand, "by hand");
}

async function planByHand(writer: Connection): Promise<void> {
  await writer.run(`CREATE OR REPLACE TEMP TABLE chosen AS
    SELECT object_id, size, present_mask, heat_weight FROM (
      SELECT object_id, size, present_mask, heat_weight,
        sum(size) OVER (ORDER BY heat_weight, object_id ROWS UNBOUNDED PRECEDING) AS running
      FROM object
      WHERE coalesce(accessed, ingested) < make_timestamp(${monthAgo * 1_000})
        AND heat_weight < 0.5 AND size >= 1048576 AND present_mask & 1 <> 0
        AND (present_mask & 4 <> 0 OR in_flight_mask & 4 = 0) AND NOT held)
    WHERE running <= ${budget}`);
  await writer.run(`COPY (
    SELECT row_number() OVER (ORDER BY c.present_mask & 4, c.heat_weight, c.object_id) - 1
        AS sequence, 'demote' AS verb, c.object_id, o.cid, c.size, o.profile,
      CASE WHEN c.present_mask & 4 = 0 THEN 0 END AS source,
      CASE WHEN c.present_mask & 4 = 0 THEN 2 END AS target, 0 AS victim, 'bench/cool' AS rule,
      'moves to a colder place' AS reason,
      '[{"rule":"bench/cool","backends":"4","copies":1,"confidence":"verified"}]' AS requirements
    FROM chosen c JOIN object o ON o.object_id = c.object_id ORDER BY sequence)
    TO '${join(folder, "hand.parquet")}' (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)`);
}

/** The scan of twenty rules at once against one scan for each. */
async function compareRules(): Promise<void> {
  const rules = Array.from({ length: 20 }, (_, at) =>
    ruleOf(
      `rule-${at}`,
      at % 2 === 0 ? { kind: "evict", from: 1n } : { kind: "demote", from: 1n, to: 4n },
      sql`(coalesce(o.accessed, o.ingested) < make_timestamp(${micros(at)}::BIGINT)
        AND o.heat_weight < ${(at + 1) / 40}::DOUBLE AND o.size >= ${(at + 1) * 65_536}::BIGINT)`,
    ),
  );
  const together: number[] = [];
  const apart: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    together.push(await timed(async () => await scan(rules)));
    apart.push(
      await timed(async () => {
        for (const rule of rules) await scan([rule]);
      }),
    );
  }
  report("twenty rules in one scan", together, apart, "twenty scans");
}

/** A month and some days ago. */
function micros(days: number): number {
  return (monthAgo - days * 86_400_000) * 1_000;
}

async function scan(rules: readonly CompiledRule[]): Promise<void> {
  await using session = await openSession();
  const safety = { minimumCopies: 1, headRoomShare: 0.05 };
  await scanCandidates(new Planning(setOf(...rules), session, safety));
}

async function openSession(): Promise<IndexSession> {
  return await IndexSession.begin(new Connection(await instance.connect()), () => undefined);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function report(
  what: string,
  own: readonly number[],
  other: readonly number[],
  against: string,
): void {
  const [one, two] = [Math.min(...own), Math.min(...other)];
  console.log(
    `${what}: ${one.toFixed(0)} ms, ${against}: ${two.toFixed(0)} ms, ` +
      `ratio ${(one / two).toFixed(2)} (${objects} objects)`,
  );
}

function ruleOf(
  name: string,
  verb: CompiledVerb,
  where: SqlFragment,
  more: Partial<CompiledRule> = {},
): CompiledRule {
  const span = { source: "true", start: 0, end: 4 };
  return {
    id: `bench/${name}`,
    policy: "bench",
    place: "bench.yaml:1:1",
    where,
    whereByName: undefined,
    expression: { kind: "literal", value: true, type: { kind: "boolean" }, span },
    verb,
    order: [],
    limit: { objects: undefined, bytes: undefined },
    ...more,
  };
}

function setOf(...rules: readonly CompiledRule[]): CompiledPolicySet {
  const heat = { landmark: now, halfLifeMs: 7 * 86_400_000 };
  return {
    rules,
    digests: {},
    failureLimits: [],
    limits: {},
    approvals: [],
    moment: { now, backends, heat },
  };
}
