import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { importAccesses } from "#engine/import-accesses.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { noClasses, noVariables } from "#policies/expression/check-context.ts";
import { compileValue } from "#policies/expression/compile-expression.ts";
import { readValue } from "#policies/expression/read-expression.ts";
import { joinFragments, sql, toStatement, trusted } from "#policies/sql-fragment.ts";
import { cidOf, objectOf, openIndex, start } from "../index/open-index.ts";
import { nameOf, objectCount, randomLogs, sizeOf } from "./random-reads.ts";

const program = fileURLToPath(new URL("heat.py", import.meta.url));
const halfLifeMs = 3 * 86_400_000;
const windows = [1, 7, 30];

/** What the words of the policy language give for every object, one JSON object each. */
async function valuesOf(index: ObjectIndex): Promise<readonly Record<string, unknown>[]> {
  const registry = await loadAttributes();
  const context = { now: start, heat: await index.heat(), backends: [], path: trusted("o.path") };
  const words = ["heat", "accessed", "idle", "heat_rank", "heat_percentile"];
  const columns = [...words, ...windows.map((days) => `accesses(${days}d)`)].map((text) => {
    const scope = {
      registry,
      scope: "object",
      variables: noVariables,
      classes: noClasses,
    } as const;
    const expression = readValue(text, { ...scope, report });
    if (expression === undefined) throw new Error(text);
    return sql`${compileValue(expression, context)} AS ${trusted(`"${text}"`)}`;
  });
  await using session = await index.session();
  const rows = await session.rows(
    toStatement(sql`SELECT o.object_id, o.reads, ${joinFragments(columns, ", ")}
      FROM object o ORDER BY o.object_id`),
  );
  const days = await session.rows({ text: "FROM access_day", parameters: [] });
  return rows.map((row) => ({
    cid: cidOf(Number(row["object_id"])),
    heat: row["heat"],
    reads: row["reads"],
    accessed: row["accessed"],
    idle: Number(row["idle"]) / 1_000,
    rank: row["heat_rank"],
    percentile: row["heat_percentile"],
    windows: Object.fromEntries(windows.map((day) => [day, row[`accesses(${day}d)`]])),
    days: Object.fromEntries(
      days
        .filter(({ object_id }) => object_id === row["object_id"])
        .map(({ day, reads }) => [dayText(day), reads]),
    ),
  }));
}

function report(problem: unknown): void {
  expect.fail(JSON.stringify(problem));
}

function dayText(day: unknown): string {
  return new Date(String(day)).toISOString().slice(0, 10);
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line);
}

test.each([1, 2])("a program of its own recomputes heat and counts of logs %i", async (seed) => {
  const { index, folder } = await openIndex(["hot"], { heatHalfLifeMs: halfLifeMs });
  const known = Array.from({ length: objectCount() }, (_, object) => object);
  await index.putObjects(
    known.map((object) => objectOf(object, [], { names: [nameOf(object)], size: sizeOf(object) })),
    start,
  );
  const objects = known.map((object) => {
    const facts = { size: sizeOf(object), ingested: start, names: [nameOf(object)] };
    return JSON.stringify({ cid: cidOf(object), ...facts });
  });
  await writeFile(join(folder, "objects"), objects.join("\n"));
  const logs = randomLogs(seed, start, 600);
  const context = { index, config: { dataDirectory: folder } };
  for (const { format, lines } of logs) {
    await writeFile(join(folder, format), `${lines.join("\n")}\n`);
    // Imported as it grows, and once more than there is anything new in it.
    for (const part of [0.3, 0.3, 0.8, 1, 1]) {
      const some = linesOf(lines.slice(0, Math.floor(lines.length * part)));
      const prefix = "/data";
      await importAccesses(context, format, some, { format: "auto", prefix });
    }
  }
  const args = ["--now", start.toISOString(), "--half-life", String(halfLifeMs / 1_000)];
  args.push("--objects", join(folder, "objects"));
  for (const { format } of logs) args.push("--log", format, "/data", join(folder, format));
  const values = await valuesOf(index);
  const audit = (said: readonly Record<string, unknown>[]) => {
    const input = said.map((value) => JSON.stringify(value)).join("\n");
    const { status, stdout, stderr } = spawnSync("python3", [program, ...args], {
      input,
      encoding: "utf8",
    });
    return { status, stderr, report: JSON.parse(stdout || "null") as unknown };
  };
  const found = audit(values);
  expect(found.stderr).toBe("");
  expect(found).toMatchObject({ status: 0, report: { objects: 60, differences: 0 } });
  const { reads } = found.report as { reads: number };
  expect(reads).toBeGreaterThan(800);
  // And it does find what is wrong.
  for (const wrong of [{ heat: 0.123 }, { reads: 999 }, { rank: 61 }, { percentile: 1 }]) {
    const { status, report } = audit([{ ...values[0], ...wrong }, ...values.slice(1)]);
    expect({ status, report }).toMatchObject({ status: 1, report: { differences: 1 } });
  }
  expect(await index.checkSummaries()).toEqual([]);
});
