import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Connection } from "#index/connection.ts";
import type { StageType, StageValue } from "#index/stage-chunk.ts";

const moments = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2200-01-01") });
const values: Readonly<Record<StageType, fc.Arbitrary<StageValue>>> = {
  BIGINT: fc.maxSafeInteger(),
  INTEGER: fc.integer(),
  DOUBLE: fc.double({ noNaN: true }),
  VARCHAR: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "a\0b", "höhe 温 🙂".repeat(9)),
  ),
  BLOB: fc.uint8Array(),
  TIMESTAMP: moments,
  BOOLEAN: fc.boolean(),
};
const types = Object.keys(values) as StageType[];

/** Rows of all types; each column has one value throughout, or a few, or some missing. */
const tables = fc
  .record({
    rows: fc.constantFrom(0, 1, 7, 2_048, 2_049, 5_000),
    columns: fc.tuple(
      ...types.map((type) =>
        fc.oneof(
          fc.array(values[type], { minLength: 1, maxLength: 1 }),
          fc.array(fc.option(values[type]), { minLength: 1, maxLength: 5 }),
        ),
      ),
    ),
  })
  .map(({ rows, columns }) =>
    Array.from({ length: rows }, (_, row) => [
      row,
      ...columns.map((pool) => pool[(row * row) % pool.length] ?? null),
    ]),
  );

test("what is staged is read back as it was, whether a column varies or not", async () => {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = new Connection(await instance.connect());
  onTestFinished(() => {
    connection.close();
    instance.closeSync();
  });
  const columns = Object.fromEntries(types.map((type) => [`as_${type}`, type]));
  await fc.assert(
    fc.asyncProperty(tables, async (rows) => {
      await connection.stage("staged", { position: "BIGINT", ...columns }, rows);
      const read = await connection.rows("SELECT * FROM staged ORDER BY position");
      expect(read.map((row) => Object.values(row))).toEqual(rows);
    }),
    { numRuns: 40 },
  );
});
