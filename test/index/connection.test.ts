import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Connection } from "#index/connection.ts";

let connection: Connection;

beforeEach(async () => {
  const instance = await DuckDBInstance.create(":memory:");
  connection = new Connection(await instance.connect(), () => {
    instance.closeSync();
  });
  await connection.run("CREATE TABLE numbers AS SELECT range AS n FROM range(100_000)");
});

afterEach(() => {
  connection.close();
});

test("statements that are asked at once on one connection get all their rows, each its own", async () => {
  const digits = Array.from({ length: 10 }, (_, digit) => digit);
  const answers = await Promise.all(
    digits.map((digit) =>
      connection.rows<{ n: number }>("SELECT n FROM numbers WHERE n % 10 = $1", [digit]),
    ),
  );
  expect(answers.map((rows) => rows.length)).toEqual(digits.map(() => 10_000));
  expect(answers.map((rows) => new Set(rows.map(({ n }) => n % 10)))).toEqual(
    digits.map((digit) => new Set([digit])),
  );
});

test.each([
  ["a statement", () => connection.run("SELECT 1")],
  ["an appender", () => connection.append("numbers", ["BIGINT"], [[1]])],
])("%s is refused while a stream is read, which it would end without a word", async (_, begin) => {
  let read = 0;
  for await (const { rows } of connection.columns({ text: "FROM numbers", parameters: [] })) {
    read += rows;
    await expect(begin()).rejects.toMatchObject({ code: "INTERNAL" });
  }
  expect(read).toBe(100_000);
  await begin();
});
