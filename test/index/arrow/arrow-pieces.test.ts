import { DuckDBInstance } from "@duckdb/node-api";
import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { array, assert, asyncProperty, integer, option, string } from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Connection } from "#index/connection.ts";

async function connect(threads = "2"): Promise<Connection> {
  const instance = await DuckDBInstance.create(":memory:", { threads });
  const connection = new Connection(await instance.connect());
  onTestFinished(() => {
    connection.close();
    instance.closeSync();
  });
  return connection;
}

async function bytesOf(
  connection: Connection,
  text: string,
  form: "file" | "stream" = "file",
): Promise<Buffer> {
  const copies: Buffer[] = [];
  // A piece is good until the next one comes.
  for await (const { bytes } of connection.arrow({ text, parameters: [] }, form)) {
    copies.push(Buffer.concat(bytes));
  }
  return Buffer.concat(copies);
}

/** A value as DuckDB's own text of it, from what Arrow holds. */
type Reading = (value: never) => unknown;
const asIs: Reading = String;
const scaled =
  (digits: number): Reading =>
  (value: Uint32Array) => {
    const number = value.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
    const signed = BigInt.asIntN(128, number);
    const text = String(signed < 0n ? -signed : signed).padStart(digits + 1, "0");
    const point = digits > 0 ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
    return signed < 0n ? `-${point}` : point;
  };

const types: readonly (readonly [type: string, expression: string, reading: Reading])[] = [
  ["BOOLEAN", "i % 3 = 0", asIs],
  ["TINYINT", "i % 256 - 128", asIs],
  ["SMALLINT", "i * 3 - 5000", asIs],
  ["INTEGER", "i * 100000 - 500000000", asIs],
  ["BIGINT", "i * 922337203685477 - 4611686018427387904", asIs],
  ["UTINYINT", "i % 256", asIs],
  ["USMALLINT", "i * 6", asIs],
  ["UINTEGER", "i * 400000", asIs],
  ["UBIGINT", "i::UBIGINT * 1844674407370955", asIs],
  ["HUGEINT", "(i - 5000)::HUGEINT * 12345678901234567890123", scaled(0)],
  ["FLOAT", "i / 4 + 0.125", asIs],
  ["DOUBLE", "i / 8 - 100.0625", asIs],
  ["DECIMAL(4, 1)", "i / 20 - 200", scaled(1)],
  ["DECIMAL(9, 3)", "i / 7 - 900", scaled(3)],
  ["DECIMAL(18, 6)", "i * 1000 / 7 - 900", scaled(6)],
  ["DECIMAL(38, 10)", "i * 100000 / 7 - 900", scaled(10)],
  ["VARCHAR", "repeat('höhe 温', (i % 5)::INTEGER) || i", asIs],
  ["BLOB", "unhex(sha256(i::VARCHAR))", (value: Uint8Array) => hex(value)],
  [
    "ENUM('cold', 'warmer than that', 'hot')",
    "['cold', 'warmer than that', 'hot'][1 + i % 3]",
    asIs,
  ],
  ["DATE", "'1969-12-01'::DATE + i::INTEGER", (day: Date | number) => dayText(day)],
  ["TIMESTAMP", "make_timestamp(i * 1000000007 - 1000)", asIs],
];

const microseconds = "epoch_us(v)::VARCHAR";

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex").toUpperCase();
}

function dayText(day: Date | number): string {
  return new Date(Number(day)).toISOString().slice(0, 10);
}

test.each(types)("a column of %s holds what DuckDB holds, nulls too", async (type, value, read) => {
  const connection = await connect();
  await connection.run(
    `CREATE TABLE t AS SELECT i, (${value})::${type} AS full_v,
       CASE WHEN hash(i) % 5 > 0 OR i < 3000 THEN full_v END AS v FROM range(10_000) AS r(i)`,
  );
  const text = type === "BLOB" ? "hex(v)" : type === "TIMESTAMP" ? microseconds : "v::VARCHAR";
  for (const source of ["t ORDER BY i", "t WHERE i % 3 = 0 ORDER BY i % 97, i"]) {
    const rows = await connection.rows<{ text: string | null }>(
      `SELECT ${text} AS text FROM ${source}`,
    );
    const table = tableFromIPC(await bytesOf(connection, `SELECT v FROM ${source}`));
    const column = table.getChildAt(0);
    const values = rows.map((_, row) => raw(table.batches, type, row, column?.get(row)));
    expect(values.map((found) => (found === null ? null : read(found as never)))).toEqual(
      rows.map((row) => row.text),
    );
  }
});

/** Times come out of the library as milliseconds: the microseconds are beneath. */
function raw(batches: readonly RecordBatch[], type: string, row: number, value: unknown): unknown {
  if (type !== "TIMESTAMP" || value === null) return value;
  const micros = batches[0]?.getChildAt(0)?.data[0]?.values as BigInt64Array | undefined;
  return micros?.[row];
}

test("the same rows give the same bytes, whatever the threads and the chunks they came in", async () => {
  const query = `SELECT i, CASE WHEN i % 7 > 0 THEN 'text of row ' || i END AS t,
    CASE WHEN i % 5 > 0 THEN i * 3 END AS n FROM range(300_000) AS r(i) WHERE i % 4 > 0`;
  const [one, other] = [await connect("1"), await connect("3")];
  await other.run(`CREATE TABLE scattered AS ${query} ORDER BY hash(i)`);
  const first = await bytesOf(one, query);
  expect(first.equals(await bytesOf(other, "FROM scattered ORDER BY i"))).toBe(true);
  const table = tableFromIPC(first);
  expect(table.batches.map(({ numRows }) => numRows)).toEqual([122_880, 102_120]);
  const rows = await one.rows<{ t: string | null; n: number | null }>(`${query} ORDER BY i`);
  const [texts, numbers] = [table.getChild("t"), table.getChild("n")];
  const wrong = rows.filter(({ t, n }, row) => {
    const number = numbers?.get(row) as bigint | null;
    return texts?.get(row) !== t || (number === null ? null : Number(number)) !== n;
  });
  expect(wrong).toEqual([]);
});

test("a result without rows has its columns all the same", async () => {
  const connection = await connect();
  for (const form of ["file", "stream"] as const) {
    const table = tableFromIPC(await bytesOf(connection, "SELECT 1 AS a, 'x' AS b LIMIT 0", form));
    expect(table.numRows).toBe(0);
    expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "a Int32",
      "b Utf8",
    ]);
  }
});

test("a file holds the whole stream, for readers that go through from the front", async () => {
  const connection = await connect();
  const query = "SELECT i, i::VARCHAR AS t FROM range(5_000) AS r(i)";
  const file = await bytesOf(connection, query);
  const stream = await bytesOf(connection, query, "stream");
  const begin = "ARROW1\0\0".length;
  expect(file.subarray(begin, begin + stream.length).equals(stream)).toBe(true);
});

test("text of any lengths, shared or not, comes out as it went in", async () => {
  const connection = await connect();
  const texts = array(option(string({ unit: "binary", maxLength: 40 })), { minLength: 1 });
  await assert(
    asyncProperty(texts, integer({ min: 0, max: 3 }), async (values, copies) => {
      const rows = Array.from({ length: copies + 1 }, () => values).flat();
      await connection.stage(
        "texts",
        { n: "BIGINT", text: "VARCHAR" },
        rows.map((text, at) => [at, text]),
      );
      const bytes = await bytesOf(connection, "SELECT text FROM texts ORDER BY n");
      const table = tableFromIPC(bytes);
      const read = rows.map((_, row) => table.getChildAt(0)?.get(row) as string | null);
      expect(read).toEqual(rows.map((text) => text?.toWellFormed() ?? null));
    }),
    { numRuns: 60 },
  );
});

test("a type that Arrow lacks is refused, with the way to ask", async () => {
  const connection = await connect();
  await expect(bytesOf(connection, "SELECT [1, 2] AS l")).rejects.toMatchObject({
    code: "NOT_SUPPORTED",
    hint: expect.stringContaining('"l"::VARCHAR') as string,
  });
});
