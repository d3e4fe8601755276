import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonLine } from "#index/access-logs/parse-json-line.ts";
import { cidOf, objectOf, openIndex, start } from "./open-index.ts";

const day = 86_400_000;

test("reads count once per batch, by CID and by path, and unknown ones are told", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0), objectOf(1)], start);
  const accesses = [
    { object: cidOf(0), at: new Date(start.getTime() - day), weight: 1 },
    { object: "/data/0.bin", at: start, weight: 0.5 },
    { object: "/data/1.bin", at: start, weight: 0 },
    { object: "/data/none", at: start, weight: 1 },
    { object: cidOf(77), at: start, weight: 1 },
  ];
  expect(await index.recordAccesses("b1", accesses)).toEqual({
    applied: 3,
    unknown: 2,
    repeated: false,
  });
  const version = await index.version();
  expect(await index.recordAccesses("b1", accesses)).toEqual({
    applied: 3,
    unknown: 2,
    repeated: true,
  });
  expect(await index.version()).toBe(version);
  await using session = await index.session();
  const rows = await session.rows({
    text: "SELECT reads, accessed FROM object ORDER BY object_id",
    parameters: [],
  });
  expect(rows).toEqual([
    { reads: 2, accessed: start },
    { reads: 0, accessed: null },
  ]);
  const days = await session.rows({ text: "FROM access_day ORDER BY day", parameters: [] });
  expect(days.map((row) => row["reads"])).toEqual([1, 1]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("reads count for their days, wherever batches are cut", async () => {
  const { index } = await openIndex();
  const numbers = [0, 1, 2];
  await index.putObjects(
    numbers.map((number) => objectOf(number)),
    start,
  );
  const read = fc.record({
    object: fc.constantFrom(...numbers),
    hours: fc.integer({ min: 0, max: 90 }),
    weight: fc.constantFrom(0, 0.5, 1),
  });
  const expected = new Map<string, number>();
  let batch = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(read, { minLength: 1, maxLength: 12 }), async (reads) => {
      batch += 1;
      const accesses = reads.map(({ object, hours, weight }) => {
        const at = new Date(start.getTime() - hours * 3_600_000);
        const key = `${object} ${at.toISOString().slice(0, 10)}`;
        if (weight > 0) expected.set(key, (expected.get(key) ?? 0) + 1);
        return { object: cidOf(object), at, weight };
      });
      await index.recordAccesses(`b${batch}`, accesses);
      await using session = await index.session();
      const text = `SELECT object_id || ' ' || day AS key, reads FROM access_day`;
      const rows = await session.rows({ text, parameters: [] });
      expect(new Map(rows.map(({ key, reads: count }) => [key, count]))).toEqual(expected);
      expect(rows).toHaveLength(expected.size);
    }),
    { numRuns: 40 },
  );
  expect(await index.checkSummaries()).toEqual([]);
});

test("heat is the sum of weights that halve every half-life, in any order and batching", async () => {
  const halfLifeMs = 3 * day;
  const { index } = await openIndex(["hot"], { heatHalfLifeMs: halfLifeMs });
  let batch = 0;
  let object = 0;
  const read = fc.record({
    ageMs: fc.integer({ min: 0, max: 60 * day }),
    weight: fc.double({ min: 0, max: 3, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(read, { maxLength: 5 }), { maxLength: 3 }),
      async (groups) => {
        object += 1;
        await index.putObjects([objectOf(object)], start);
        for (const group of groups) {
          batch += 1;
          const accesses = group.map(({ ageMs, weight }) => ({
            object: cidOf(object),
            at: new Date(start.getTime() - ageMs),
            weight,
          }));
          await index.recordAccesses(`batch ${batch}`, accesses);
        }
        const expected = groups
          .flat()
          .reduce((sum, { ageMs, weight }) => sum + weight * 2 ** (-ageMs / halfLifeMs), 0);
        const detail = await index.objectDetail(await index.findObject(cidOf(object)), start);
        expect(detail.heat).toBeCloseTo(expected, 9);
        expect(detail.reads).toBe(groups.flat().filter(({ weight }) => weight > 0).length);
      },
    ),
    { numRuns: 25 },
  );
  expect(await index.checkSummaries()).toEqual([]);
});

test("heat stays finite over decades, and reads from the future count as of now", async () => {
  let now = start;
  const { index } = await openIndex(["hot"], { heatHalfLifeMs: 3_600_000, now: () => now });
  await index.putObjects([objectOf(0), objectOf(1)], start);
  for (const days of [0, 10, 20, 400, 4_000, 9_000]) {
    now = new Date(start.getTime() + days * day);
    await index.recordAccesses(`day ${days}`, [
      { object: cidOf(0), at: now, weight: 1 },
      { object: cidOf(1), at: new Date(now.getTime() + 900 * day), weight: 1 },
    ]);
    for (const objectId of [0, 1]) {
      const { heat, accessed } = await index.objectDetail(objectId, now);
      expect(heat).toBeCloseTo(1, 6);
      expect(accessed).toBe(now.toISOString());
    }
  }
});

test("the half-life is fixed when an index is made", async () => {
  const { ObjectIndex } = await import("#index/object-index.ts");
  const { index, path } = await openIndex(["hot"], { heatHalfLifeMs: day });
  expect(await index.heat()).toEqual({ landmark: start, halfLifeMs: day });
  await index.close();
  await expect(ObjectIndex.open(path, { heatHalfLifeMs: 2 * day })).rejects.toMatchObject({
    code: "NOT_SUPPORTED",
  });
  const again = await ObjectIndex.open(path);
  expect((await again.heat()).halfLifeMs).toBe(day);
  await again.close();
});

test.each([
  [`{"cid":"${cidOf(1)}","at":"2026-01-31T12:00:00Z"}`, { object: cidOf(1), weight: 1 }],
  [
    '{"path":"/a b","at":"2026-01-31T14:00:00.5+02:00","bytes":25,"size":100}',
    { object: "/a b", weight: 0.25 },
  ],
  ['{"path":"/a","at":"2026-01-31T12:00Z","bytes":300,"size":100}', { object: "/a", weight: 1 }],
  ['{"path":"/a","at":"2026-01-31T12:00:00Z","weight":0}', { object: "/a", weight: 0 }],
])("%s is a read", (line, expected) => {
  const parsed = parseJsonLine(line);
  expect(parsed).toMatchObject({ access: expected });
});

test.each([
  ["", "not JSON"],
  ["[1]", "not a JSON object"],
  ['{"path":"/a","at":"2026-01-31"}', '"at" must be a time'],
  ['{"path":"/a","at":"2026-13-31T12:00:00Z"}', '"at" must be a time'],
  ['{"path":"/a","at":"2026-01-31T12:00:00"}', "with its zone"],
  ['{"at":"2026-01-31T12:00:00Z"}', 'either "cid" or "path"'],
  ['{"cid":"x","path":"/a","at":"2026-01-31T12:00:00Z"}', 'either "cid" or "path"'],
  ['{"path":"a","at":"2026-01-31T12:00:00Z"}', "begin with /"],
  ['{"path":"/a","at":"2026-01-31T12:00:00Z","bytes":-1}', '"bytes" must be a number'],
  ['{"path":"/a","at":"2026-01-31T12:00:00Z","byte":1}', 'unknown field "byte"'],
])("%s is malformed: %s", (line, reason) => {
  const parsed = parseJsonLine(line);
  expect("problem" in parsed ? parsed.problem : "").toContain(reason);
});
