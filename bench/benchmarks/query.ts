import { listObjects } from "#engine/objects.ts";
import { makeReport, type ReportSource } from "#engine/reports/make-report.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { reportNames } from "#model/report.ts";
import type { ReportGrouping } from "#model/report.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";

export default {
  name: "query",
  about: "lists and reports, against statements by hand for the same answer",
  rounds: 3,
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  sidesApart: true,
  async measure(bench) {
    const index = await bench.openIndex();
    const source: ReportSource = {
      index,
      registry: await loadAttributes(),
      now: () => livelyTime,
      moment: async (at) => ({
        now: at,
        backends: await index.backends(),
        heat: await index.heat(),
      }),
      minimumCopies: 1,
    };
    return [
      ...(await compareLists(bench, index, source)),
      ...(await compareReports(bench, index, source)),
    ];
  },
} satisfies Benchmark;

const listColumns = "object_id, cid, size, path, heat_weight, present_mask, verified_mask";

/** A list of everything in two orders, and the first fifty of an order. */
async function compareLists(
  bench: Workbench,
  index: ObjectIndex,
  source: ReportSource,
): Promise<readonly Measurement[]> {
  const list = (what: string, order: string | undefined, byHand: string, limit?: number) =>
    compare({
      what,
      rounds: bench.rounds,
      ours: async () => {
        let rows = 0;
        const request = {
          ...(order === undefined ? {} : { sort: order }),
          ...(limit === undefined ? {} : { limit }),
        };
        for await (const piece of listObjects(source, request)) rows += piece.length;
        expectRows(rows, limit ?? bench.objects);
      },
      peer: async () => {
        let rows = 0;
        const bound = limit === undefined ? "" : `LIMIT ${limit}`;
        const text = `SELECT ${listColumns} FROM object ORDER BY ${byHand} ${bound}`;
        for await (const batch of index.query(text)) rows += batch.rows;
        expectRows(rows, limit ?? bench.objects);
      },
      peerName: "columns by hand, nothing made of them",
    });
  const hottest = "heat_weight DESC, size, object_id";
  return [
    await list("a list of all objects", undefined, "object_id"),
    await list("the same by heat and size", "heat desc, size", hottest),
    await list("the fifty hottest", "heat desc, size", hottest, 50),
  ];
}

const reportByHand: Partial<Record<ReportGrouping, string>> = {
  tier: `SELECT b.tier, count(*), sum(c.bytes) FROM copy AS c
    JOIN backend AS b ON b.backend_id = c.backend_id WHERE c.state = 'present' GROUP BY ALL`,
  owner: `SELECT o.owner, count(*), sum(c.bytes) FROM copy AS c
    JOIN object AS o ON o.object_id = c.object_id WHERE c.state = 'present' GROUP BY ALL`,
};

/** Every report by tier and by owner. */
async function compareReports(
  bench: Workbench,
  index: ObjectIndex,
  source: ReportSource,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const by of ["tier", "owner"] as const) {
    const text = reportByHand[by] ?? "";
    for (const report of reportNames) {
      measurements.push(
        await compare({
          what: `report ${report} by ${by}`,
          rounds: bench.rounds,
          ours: () => makeReport(source, { report, by }),
          peer: () => Array.fromAsync(index.query(text)),
          peerName: "copies and bytes by hand",
        }),
      );
    }
  }
  return measurements;
}

function expectRows(rows: number, expected: number): void {
  if (rows !== expected) throw new Error(`${rows} of ${expected} objects came`);
}
