import { expect, test } from "vitest";
import type { ReadSession } from "#model/sql.ts";
import { openIndex } from "./open-index.ts";

/** What temporary tables of the session hold, in memory or spilled. */
async function heldBytes(session: ReadSession): Promise<number> {
  const text = `SELECT sum(memory_usage_bytes + temporary_storage_bytes)::BIGINT AS held
    FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'`;
  const [row] = await session.rows({ text, parameters: [] });
  return Number(row?.["held"]);
}

test("a temporary table that is released gives back what it held, while the session goes on", async () => {
  const { index } = await openIndex();
  await using session = await index.session();
  const run = (text: string) => session.run({ text, parameters: [] });
  const rows = "SELECT range AS id, range * 2 AS twice, 'word' AS word FROM range(400000)";
  await run(`CREATE TEMP TABLE work AS ${rows}`);
  await run("UPDATE work SET twice = 1 WHERE id % 3 = 0");
  const held = await heldBytes(session);
  expect(held).toBeGreaterThan(10_000_000);
  await session.release("work");
  expect(await heldBytes(session)).toBeLessThan(held / 5);
  await expect(run("INSERT INTO work VALUES (1, 2, 'x')")).rejects.toMatchObject({ code: "USAGE" });
  // Its name is free again, and a table that is not there has nothing to give back.
  await run(`CREATE TEMP TABLE work AS ${rows}`);
  await session.release("nothing");
  expect(await session.rows({ text: "SELECT count(*) AS n FROM work", parameters: [] })).toEqual([
    { n: 400_000 },
  ]);
});

test("only temporary tables can be released", async () => {
  const { index } = await openIndex();
  await using session = await index.session();
  await session.release("objects");
  expect(await session.rows({ text: "SELECT count(*) AS n FROM object", parameters: [] })).toEqual([
    { n: 0 },
  ]);
});
