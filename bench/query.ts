// What lists and reports cost against statements written by hand for the same answer, and how
// much memory a list of everything takes. All sides run on one index, in turn.
//
//   node bench/query.ts [objects = 1000000]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { listObjects } from "#engine/objects.ts";
import { makeReport, type ReportSource } from "#engine/reports/make-report.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { tiers } from "#model/copy.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { BackendFacts } from "#model/index-store.ts";
import { type ReportGrouping, reportNames } from "#model/report.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { secondsOf } from "./median.ts";

const objects = Number(process.argv[2] ?? 1_000_000);
const now = new Date("2026-06-01T00:00:00Z");
const memoryLimit = "1GiB";
const mib = 1024 ** 2;
/** Where an object has its other copy. */
const secondBackend = "(1 + (hash(range, 5) % 4)::BIGINT)";

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
try {
  const path = join(folder, "index.duckdb");
  await makeIndex(path);
  const index = await ObjectIndex.open(path, { threads: 2, memoryLimit });
  try {
    await lists(index);
    await reports(index);
  } finally {
    await index.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A list of everything in two orders, the first fifty of an order, and the same by hand. */
async function lists(index: ObjectIndex): Promise<void> {
  const source = await sourceOf(index);
  const columns = "object_id, cid, size, path, heat_weight, present_mask, verified_mask";
  const byHand = await secondsOf(async () => {
    let rows = 0;
    const text = `SELECT ${columns} FROM object ORDER BY object_id`;
    for await (const batch of index.query(text)) rows += batch.rows;
    expectAll(rows);
  });
  say(`columns of ${objects} objects by hand, nothing made of them`, byHand, byHand);
  for (const sort of [undefined, "heat desc, size"]) {
    const memory = watchMemory();
    const took = await secondsOf(async () => {
      let rows = 0;
      for await (const piece of listObjects(source, sort === undefined ? {} : { sort })) {
        rows += piece.length;
      }
      expectAll(rows);
    });
    const grown = `${Math.round(memory.stop() / mib)} MiB more at most, DuckDB may use 1024`;
    say(`all objects, sorted by ${sort ?? "arrival"} (${grown})`, took, byHand);
  }
  const first = await secondsOf(async () => {
    await Array.fromAsync(listObjects(source, { sort: "heat desc, size", limit: 50 }));
  });
  const firstByHand = await secondsOf(async () => {
    const text = "FROM object ORDER BY heat_weight DESC, size, object_id LIMIT 50";
    await Array.fromAsync(index.query(text));
  });
  say("the fifty hottest", first, firstByHand);
}

/** Every report by tier and by owner; the statement by hand gives only copies and bytes. */
async function reports(index: ObjectIndex): Promise<void> {
  const source = { ...(await sourceOf(index)), minimumCopies: 1 } satisfies ReportSource;
  const byHand: Partial<Record<ReportGrouping, string>> = {
    tier: `SELECT b.tier, count(*), sum(c.bytes) FROM copy AS c
      JOIN backend AS b ON b.backend_id = c.backend_id WHERE c.state = 'present' GROUP BY ALL`,
    owner: `SELECT o.owner, count(*), sum(c.bytes) FROM copy AS c
      JOIN object AS o ON o.object_id = c.object_id WHERE c.state = 'present' GROUP BY ALL`,
  };
  for (const by of ["tier", "owner"] as const) {
    const floor = await secondsOf(async () => await Array.fromAsync(index.query(byHand[by] ?? "")));
    for (const report of reportNames) {
      const took = await secondsOf(async () => await makeReport(source, { report, by }));
      say(`report ${report} by ${by}`, took, floor);
    }
  }
}

async function sourceOf(index: ObjectIndex): Promise<Omit<ReportSource, "minimumCopies">> {
  return {
    index,
    registry: await loadAttributes(),
    now: () => now,
    moment: async (at) => ({ now: at, backends: await index.backends(), heat: await index.heat() }),
  };
}

/** How far the resident memory of this process rises from now on, in bytes. */
function watchMemory(): { stop(): number } {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return most - before;
    },
  };
}

function expectAll(rows: number): void {
  if (rows !== objects) throw new Error(`${rows} of ${objects} objects came`);
}

function say(what: string, seconds: number, floor: number): void {
  const rate = Math.round(objects / seconds).toLocaleString("en-US");
  const ratio = (seconds / floor).toFixed(2);
  console.log(`${what}: ${seconds.toFixed(2)} s, ${rate} objects/s, ratio ${ratio}`);
}

/** Rows as the index writes them, without the millions of calls that would bring them there. */
async function makeIndex(path: string): Promise<void> {
  const empty = await ObjectIndex.open(path, { threads: 2 });
  await empty.syncBackends(tiers.map(factsOf));
  await empty.close();
  const instance = await DuckDBInstance.create(path, { threads: "2", memory_limit: "2GiB" });
  const connection = await instance.connect();
  await connection.run(`INSERT INTO objects BY NAME
    SELECT range AS object_id, (hash(range) >> 1)::BIGINT AS cid_key,
      unhex('01551220' || sha256(range::VARCHAR)) AS cid,
      (exp(6 + (hash(range, 1) % 1000) / 80.0))::BIGINT AS size,
      'unixfs-v1-2025' AS profile, '/data/' || range AS path, 1 AS names,
      'owner-' || (hash(range, 2) % 200) AS owner,
      '2026-01-01'::TIMESTAMP + to_minutes((range // 60)::BIGINT) AS created,
      created AS ingested, 0 AS reads, (hash(range, 3) % 1000) / 250.0 AS heat_weight,
      1 | (1::BIGINT << ${secondBackend}) AS present_mask, present_mask AS listed_mask,
      present_mask AS sampled_mask, present_mask AS verified_mask,
      0 AS in_flight_mask, created AS oldest_verified, false AS held
    FROM range(${objects})`);
  for (const backend of ["0", secondBackend]) {
    await connection.run(`INSERT INTO copies BY NAME
      SELECT range AS object_id, ${backend}::INTEGER AS backend_id, 'file' AS form,
        'at/' || range AS locator, 'present' AS state, 4096 AS bytes, 'verified' AS confidence,
        '2026-01-01'::TIMESTAMP AS checked_at, checked_at AS verified_at
      FROM range(${objects})`);
  }
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
}

function factsOf(tier: BackendFacts["tier"]): BackendFacts {
  return {
    name: `on-${tier}`,
    driver: "local",
    tier,
    region: undefined,
    labels: {},
    capacityBytes: undefined,
    price: { ...freeOfCharge, perGibMonth: 0.02 },
    capabilities: {
      forms: ["file"],
      operations: ["read", "write", "remove", "list", "verify"],
      confidence: ["verified"],
      ranges: "bytes",
      create: "atomic",
      bytesMax: undefined,
    },
  };
}
