import { DuckDBBlobVector, DuckDBInstance, DuckDBVarCharVector } from "@duckdb/node-api";
import { expect, onTestFinished, test } from "vitest";
import { readColumn } from "#index/column-reader.ts";

test.each([
  ["short and long text in turn", "repeat('ab', (i % 23)::INTEGER) || i"],
  [
    "text of other scripts, with nulls",
    "CASE WHEN i % 3 > 0 THEN repeat('höhe 温', (i % 5)::INTEGER) END",
  ],
  ["bytes of equal length", "unhex(sha256(i::VARCHAR))"],
  [
    "bytes of any length, with nulls",
    "CASE WHEN i % 4 > 0 THEN repeat('x', (i % 40)::INTEGER)::BLOB END",
  ],
  ["one text again and again", "'the same text in every single row'"],
  ["one long text with nulls between", "CASE WHEN i % 5 > 1 THEN 'the same text in most rows' END"],
  ["one short text with nulls between", "CASE WHEN i % 5 > 1 THEN 'short' END"],
  ["empty and single values", "CASE WHEN i % 2 = 0 THEN '' ELSE 'y' END"],
  ["dictionary text", "['demote to a colder tier', 'replicate to another region'][1 + i % 2]"],
])("%s comes out as the binding itself reads it", async (_, expression) => {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  await connection.run(`CREATE TABLE t AS SELECT i, ${expression} AS v FROM range(10_000) AS r(i)`);
  for (const query of ["SELECT v FROM t", "SELECT v FROM t ORDER BY i % 97, i"]) {
    const result = await connection.stream(query);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const vector = chunk.getColumnVector(0);
      expect(vector instanceof DuckDBVarCharVector || vector instanceof DuckDBBlobVector).toBe(
        true,
      );
      const read = readColumn(vector);
      expect(read.length).toBe(chunk.rowCount);
      for (let row = 0; row < chunk.rowCount; row += 1) {
        const item =
          vector instanceof DuckDBBlobVector ? vector.getItemBytes(row) : vector.getItem(row);
        expect(read[row]).toEqual(item instanceof Uint8Array ? new Uint8Array(item) : item);
      }
    }
  }
});
