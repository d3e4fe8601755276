import { readdir, readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EngineError } from "#model/engine-error.ts";
import type { ReadSession } from "#model/sql.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";

const count = { text: "SELECT count(*) AS n FROM object", parameters: [] };

test("a session reads one moment while writes go on beside it", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  await using before = await index.session();
  await index.putObjects([objectOf(2)], start);
  expect(await before.rows(count)).toEqual([{ n: 1 }]);
  await using after = await index.session();
  expect(await after.rows(count)).toEqual([{ n: 2 }]);
});

test("a session may keep temporary tables and cannot write the index", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1), objectOf(2)], start);
  const forbidden = [
    "INSERT INTO tags VALUES (0, 'x')",
    "UPDATE objects SET held = TRUE",
    "DELETE FROM copies",
    "DROP TABLE objects",
    "CREATE TABLE t (i INTEGER)",
    "COPY objects TO 'x.parquet'",
    "ATTACH ':memory:' AS other",
    "COMMIT",
    "SET threads = 1",
    "PRAGMA enable_profiling",
  ];
  for (const text of forbidden) {
    await using session = await index.session();
    await run(session, "CREATE TEMP TABLE mine AS SELECT object_id FROM object");
    await run(session, "UPDATE mine SET object_id = object_id + 1");
    await run(session, "INSERT INTO mine VALUES (7)");
    expect(
      await session.rows({ text: "SELECT sum(object_id) AS s FROM mine", parameters: [] }),
    ).toEqual([{ s: 10 }]);
    await expect(run(session, text)).rejects.toMatchObject({ code: "REFUSED" });
  }
  await using session = await index.session();
  await expect(session.rows({ text: "SELECT * FROM mine", parameters: [] })).rejects.toMatchObject({
    code: "USAGE",
  });
});

async function run(session: ReadSession, text: string): Promise<void> {
  await session.run({ text, parameters: [] });
}

test("values come out as plain JavaScript, by rows and by columns alike", async () => {
  const { index } = await openIndex();
  await using session = await index.session();
  const statement = {
    text: `SELECT i, i::INTEGER AS small, 9007199254740993 + i AS large, i / 2 AS half,
             CASE WHEN i > 0 THEN i END AS maybe, 'text ' || repeat('x', i::INTEGER * 10) AS text,
             make_timestamp(1_500_000 * i) AS at, ('bytes' || i)::BLOB AS bytes, i > 0 AS flag,
             sum(i) OVER () AS total, DATE '2026-01-02' AS day, [i, i + 1] AS list, $1 AS given
           FROM range(3) AS r(i) ORDER BY i`,
    parameters: [12],
  };
  const rows = await session.rows(statement);
  expect(rows[2]).toEqual({
    i: 2,
    small: 2,
    large: 9_007_199_254_740_995n,
    half: 1,
    maybe: 2,
    text: `text ${"x".repeat(20)}`,
    at: new Date(3_000),
    bytes: new Uint8Array(Buffer.from("bytes2")),
    flag: true,
    total: 3,
    day: new Date("2026-01-02"),
    list: [2, 3],
    given: 12,
  });
  expect(rows[0]?.["maybe"]).toBeNull();
  for await (const batch of session.columns(statement)) {
    expect(batch.rows).toBe(3);
    batch.names.forEach((name, column) => {
      expect(Array.from(batch.columns[column] ?? [])).toEqual(rows.map((row) => row[name]));
    });
  }
});

test("large results stream in chunks and an abandoned stream does no harm", async () => {
  const { index } = await openIndex();
  await using session = await index.session();
  const statement = { text: "SELECT i, 'a' || i AS s FROM range(100000) AS r(i)", parameters: [] };
  let rows = 0;
  let chunks = 0;
  for await (const batch of session.columns(statement)) {
    rows += batch.rows;
    chunks += 1;
  }
  expect(rows).toBe(100_000);
  expect(chunks).toBeGreaterThan(10);
  for await (const batch of session.columns(statement)) {
    expect(batch.rows).toBeGreaterThan(0);
    break;
  }
  expect(await session.rows(count)).toEqual([{ n: 0 }]);
});

test("a Parquet export has the same bytes for any thread count and a path with a quote", async () => {
  const digests = new Set<string>();
  for (const threads of [1, 2, 4]) {
    const { index, folder } = await openIndex(["hot"], { threads });
    await index.putObjects(
      Array.from({ length: 5_000 }, (_, number) => objectOf(number, [copyOn("hot")])),
      start,
    );
    await using session = await index.session();
    const path = join(folder, "it's a file.parquet");
    const { rows, bytes } = await session.exportParquet(
      {
        text: "SELECT object_id, cid, path FROM object WHERE size >= $1 ORDER BY object_id",
        parameters: [2_000],
      },
      path,
    );
    const content = await readFile(path);
    expect([rows, bytes]).toEqual([4_000, content.length]);
    digests.add(createHash("sha256").update(content).digest("hex"));
  }
  expect(digests.size).toBe(1);
});

test("what is exported is one SELECT, and nothing closes its parentheses to write elsewhere", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  const elsewhere = join(folder, "elsewhere.csv");
  const path = join(folder, "rows.parquet");
  for (const text of [
    "DELETE FROM tags RETURNING object_id -- ORDER BY",
    `SELECT 1 ORDER BY 1) TO '${elsewhere}' (FORMAT csv) --`,
    `SELECT 1 ORDER BY 1) TO '${elsewhere}' (FORMAT csv); COPY (SELECT 1`,
    "SELECT 1 ORDER BY 1); SELECT * FROM (SELECT 1",
    "SELECT 1 ORDER BY 1; SELECT 2",
  ]) {
    await using session = await index.session();
    const exported = session.exportParquet({ text, parameters: [] }, path);
    await expect(exported).rejects.toBeInstanceOf(EngineError);
  }
  expect((await readdir(folder)).filter((name) => /elsewhere|rows/.test(name))).toEqual([]);
});

test("a query of a person is one SELECT and reads nothing but the index", async () => {
  const { index, path } = await openIndex();
  await index.putObjects([objectOf(1), objectOf(2)], start);
  const forbidden = [
    "SELECT 1; SELECT 2",
    "INSERT INTO tags VALUES (1, 'x')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT (SELECT count(*) FROM read_csv('/etc/hostname'))",
    `WITH a AS (FROM '${path}') SELECT * FROM a`,
    'SELECT * FROM "data.parquet"',
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM glob('/etc/*')",
    "COPY object TO 'out.csv'",
    "SET threads = 1",
    "",
  ];
  for (const text of forbidden) {
    await expect(collect(index.query(text))).rejects.toMatchObject({
      code: expect.stringMatching(/^(USAGE|REFUSED)$/),
    });
  }
  expect(await collect(index.query("FROM object SELECT count(*) AS n"))).toBe(1);
  expect(await collect(index.query("DESCRIBE object"))).toBeGreaterThan(10);
  expect(await collect(index.query("SELECT 'it''s; fine' FROM object, range(3)"))).toBe(6);
});

async function collect(batches: AsyncIterable<{ rows: number }>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) rows += batch.rows;
  return rows;
}
