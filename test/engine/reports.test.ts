import { join } from "node:path";
import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exportReport, makeReport, type ReportSource } from "#engine/reports/make-report.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { confidences, copyStates } from "#model/copy.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { BackendFacts, NewObject } from "#model/index-store.ts";
import { type ReportGrouping, reportGroupings, reportNames } from "#model/report.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { toStatement } from "#policies/sql-fragment.ts";
import { backendFacts, cidOf, copyOn, objectOf, openIndex, start } from "../index/open-index.ts";
import { countReport, differences, everything, type Place } from "./count-report.ts";
import { indexSource } from "./index-source.ts";

const groupings = Object.keys(reportGroupings) as ReportGrouping[];
const dayMs = 86_400_000;
const now = new Date(start.getTime() + 40 * dayMs);

const places: readonly Place[] = [
  place("fast", "hot", "eu", 0.25, 0, 0, 0),
  place("fast-2", "hot", undefined, 0.25, 0, 0, 0),
  place("deep", "archive", "us", 0.001, 0.0005, 0.09, 128 * 1024),
  place("gone", "warm", "eu", 0.02, 0, 0.01, 0),
];

function place(
  name: string,
  tier: Place["tier"],
  region: string | undefined,
  ...[perGibMonth, perRead, egressPerGib, minimumBytes]: [number, number, number, number]
): Place {
  return { name, tier, region, perGibMonth, perRead, egressPerGib, minimumBytes };
}

function factsOf({ name, tier, region, ...price }: Place): BackendFacts {
  const facts = { ...backendFacts(name), tier: tier as BackendFacts["tier"], region };
  return { ...facts, price: { ...freeOfCharge, ...price } };
}

async function openSource(objects: readonly NewObject[]): Promise<{
  index: ObjectIndex;
  source: ReportSource;
  folder: string;
}> {
  const { index, folder } = await openIndex([]);
  await index.syncBackends(places.map(factsOf));
  await index.putObjects(objects, start);
  // Its copies stay known when a backend leaves the configuration.
  await index.syncBackends(places.filter(({ name }) => name !== "gone").map(factsOf));
  return { index, folder, source: { ...(await indexSource(index, now)), minimumCopies: 2 } };
}

const copy = fc.record({
  on: fc.constantFrom(...places.map(({ name }) => name)),
  state: fc.constantFrom(...copyStates),
  confidence: fc.constantFrom(...confidences),
  bytes: fc.integer({ min: 0, max: 2 ** 40 }),
});

const object = fc.record({
  size: fc.integer({ min: 0, max: 2 ** 40 }),
  owner: fc.constantFrom(undefined, "ana", "=ben()", "none", ""),
  collection: fc.constantFrom(undefined, "trial"),
  type: fc.constantFrom(undefined, "text/plain"),
  ageDays: fc.constantFrom(0, 7, 6.99, 30, 89, 90, 365, 900),
  reads: fc.constantFrom(0, 0, 1, 3, 40),
  readDay: fc.constantFrom(1, 10, 39),
  held: fc.boolean(),
  copies: fc.uniqueArray(copy, { selector: ({ on }) => on, maxLength: 4 }),
});

type Given = typeof object extends fc.Arbitrary<infer One> ? One : never;

function newObject({ ageDays, copies, size, owner, collection, type }: Given, at: number) {
  const created = new Date(now.getTime() - ageDays * dayMs);
  const stored = copies.map(({ on, state, confidence, bytes }) => {
    return { ...copyOn(on, confidence, start, bytes), state };
  });
  return objectOf(at, stored, { size, owner, collection, type, created });
}

async function readAndHold(index: ObjectIndex, given: readonly Given[]): Promise<void> {
  const accesses = given.flatMap(({ reads, readDay }, number) =>
    Array.from({ length: reads }, () => {
      return { object: cidOf(number), at: new Date(start.getTime() + readDay * dayMs), weight: 1 };
    }),
  );
  if (accesses.length > 0) await index.recordAccesses("batch", accesses);
  const held = given.flatMap(({ held }, number) => (held ? [number] : []));
  if (held.length > 0) await index.hold(held, "test", start);
}

test("every report by every grouping is what a count over index query gives", async () => {
  const conditions = fc.constantFrom(undefined, "owner = 'ana'", "size > 1GiB", "not held");
  await fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 12 }), conditions, async (given, where) => {
      const { index, source } = await openSource(given.map(newObject));
      await readAndHold(index, given);
      const chosen = await selected(source, where);
      const all = (await everything(index)).filter(({ object }) =>
        chosen.has(Number(object["object_id"])),
      );
      const moment = { now, ...(await index.heat()) };
      for (const report of reportNames) {
        for (const by of groupings) {
          const request = { report, by, ...(where === undefined ? {} : { where }) };
          const made = await makeReport(source, request);
          const counted = countReport(all, places, { report, by }, moment);
          expect([report, by, ...differences(made, counted)]).toEqual([report, by]);
        }
      }
      await index.close();
    }),
    { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 4), endOnFailure: true },
  );
});

/** The objects of a condition, by `objects ls`'s own way. */
async function selected(source: ReportSource, where: string | undefined): Promise<Set<number>> {
  const moment = { ...(await source.moment(now)), registry: source.registry };
  await using session = await source.index.session();
  const { text, parameters } =
    where === undefined
      ? { text: "true", parameters: [] }
      : toStatement(compileFilter(where, moment));
  const rows = await session.rows({
    text: `SELECT o.object_id FROM object AS o WHERE ${text}`,
    parameters,
  });
  return new Set(rows.map((row) => Number(row["object_id"])));
}

test("the sums of reports are those of status, also for a backend that was taken out", async () => {
  const given = [
    objectOf(0, [copyOn("fast"), copyOn("gone", "listed", start, 50)], { size: 10 }),
    objectOf(1, [copyOn("deep")], { size: 20 }),
    objectOf(2, [], { size: 40 }),
  ];
  const { index, source } = await openSource(given);
  const status = await index.totals(2);
  const usage = await makeReport(source, { report: "usage", by: "backend" });
  const { objects, copies, bytes } = usage.totals;
  expect({ objects, copies, bytes }).toEqual({ objects: 3, copies: 3, bytes: 250 });
  expect(status).toMatchObject({ objects, copies, bytes });
  const stored = usage.rows.filter(({ group }) => group !== undefined);
  expect(
    stored.map(({ group, values }) => ({
      name: group,
      copies: values["copies"],
      bytes: values["bytes"],
    })),
  ).toEqual(
    ["fast", "fast-2", "gone", "deep"].map((name) => {
      const found = status.backends.find((backend) => backend.name === name);
      return { name, copies: found?.copies, bytes: found?.bytes };
    }),
  );
  expect(usage.rows.at(-1)).toMatchObject({ values: { objects: 1, content: 40, copies: 0 } });
  const redundancy = await makeReport(source, { report: "copies", by: "owner" });
  expect(redundancy.totals["below_minimum"]).toBe(status.belowMinimum);
});

test("groups of objects stand by the figure of the report, and totals count those left out", async () => {
  const given = ["ana", "ben", "cyd", undefined].map((owner, at) =>
    objectOf(at, [copyOn("fast", "verified", start, [10, 30, 20, 40][at])], { owner }),
  );
  const { source } = await openSource(given);
  const request = { report: "usage", by: "owner" } as const;
  const whole = await makeReport(source, request);
  expect(whole.rows.map(({ group }) => group)).toEqual([undefined, "ben", "cyd", "ana"]);
  const first = await makeReport(source, { ...request, limit: 2 });
  expect(first).toMatchObject({ groups: 4, totals: whole.totals, rows: whole.rows.slice(0, 2) });
  await expect(makeReport(source, { ...request, where: "sise > 3" })).rejects.toMatchObject({
    code: "USAGE",
  });
});

test("a report is written to a file with all its groups", async () => {
  const { source, folder } = await openSource([objectOf(0, [copyOn("deep")], { size: 20 })]);
  const file = join(folder, "cost.csv");
  const written = await exportReport(source, { report: "cost", by: "tier", file });
  expect(written).toMatchObject({ file, rows: 2 });
  const month = (131_072 / 2 ** 30) * 0.001;
  const read = 0.0005 + (100 / 2 ** 30) * 0.09;
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  expect(lines.slice(0, 2)).toEqual([
    "tier,objects,copies,bytes,billed,usd_month,usd_read",
    "hot,0,0,0,0,0.0,0.0",
  ]);
  const deep = lines[2]?.split(",") ?? [];
  expect(deep.slice(0, 5)).toEqual(["archive", "1", "1", "100", "131072"]);
  expect(Number(deep[5])).toBeCloseTo(month, 15);
  expect(Number(deep[6])).toBeCloseTo(read, 15);
});
