import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Workspace } from "../integration/workspace.ts";

/** Two copies of everything, then what is not tiny leaves the hot tier. */
export const coolDown = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cool-down}
rules:
  - name: two-regions
    where: size >= 0
    ensure: {copies: 2, on: tier >= warm, confidence: verified}
  - name: cool
    where: size >= 8KiB
    demote: {from: tier = hot, to: backend = "cold"}
`;

const files = 600;

/** Files of many sizes in the folder `source`. */
export async function makeFiles(path: string, count: number = files): Promise<void> {
  const source = join(path, "source");
  await mkdir(source);
  for (let file = 0; file < count; file += 1) {
    await writeFile(join(source, `${file}.bin`), randomBytes(1 + ((file * 7_919) % 40_000)));
  }
  for (let file = 0; file < 6; file += 1) {
    await writeFile(join(source, `large-${file}.bin`), randomBytes(5 * 1024 * 1024 + file));
  }
}

/** What the controller left in a data directory for others to find it. */
export async function stateOf(path: string): Promise<{ readonly pid?: number }> {
  const file = join(path, ".thermocline", "controller.json");
  return JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as { pid?: number };
}

export interface RunRow {
  readonly state: string;
  readonly endedAt?: string;
  readonly progress: { readonly actions: number; readonly remaining: number };
}

/** Waits until no run is left to be done. */
export async function runEnds(space: Workspace, withinMs = 120_000): Promise<void> {
  const ended = async (): Promise<readonly string[]> => {
    const { runs } = await space.json<{ runs: RunRow[] }>("runs");
    return runs.map((run) => `${run.progress.remaining} left, ended: ${run.endedAt !== undefined}`);
  };
  await expect.poll(ended, { timeout: withinMs, interval: 500 }).toEqual(["0 left, ended: true"]);
}

/** Waits until all that was to be done is done. */
export async function runCompletes(space: Workspace): Promise<void> {
  await runEnds(space);
  expect(await notDone(space)).toEqual([]);
  const { runs } = await space.json<{ runs: RunRow[] }>("runs");
  expect(runs).toMatchObject([{ state: "completed" }]);
}

/** Outcomes of actions that were not done, with the reasons; none in a run that completed. */
export async function notDone(space: Workspace): Promise<readonly object[]> {
  const { rows } = await space.json<{ rows: object[] }>("index", "query", undone);
  return rows;
}

/** Each action has one outcome, each removal its proof, and each promised copy its bytes. */
export async function expectWholeRun(space: Workspace): Promise<void> {
  const { runs } = await space.json<{ runs: RunRow[] }>("runs");
  expect(await single(space, doubles)).toBe(0);
  expect(await single(space, outcomes)).toBe(runs[0]?.progress.actions);
  expect(await single(space, unproven)).toBe(0);
  const report = await space.audit();
  expect(report).toMatchObject({ corrupt: 0, missing: 0 });
  const copies = Object.keys(report.objectsByIntactCopies).map(Number);
  expect(Math.min(...copies)).toBeGreaterThanOrEqual(2);
}

const undone =
  "SELECT outcome, reason, json_extract_string(detail, '$.verb') AS verb, " +
  "left(json_extract_string(detail, '$.message'), 120) AS message, count(*)::INTEGER AS actions " +
  "FROM ledger WHERE kind = 'outcome' AND outcome <> 'done' GROUP BY ALL";
const outcomes = "SELECT count(*)::INTEGER AS n FROM ledger WHERE kind = 'outcome'";
const doubles =
  "SELECT count(*)::INTEGER AS n FROM (SELECT plan_cid, sequence FROM ledger " +
  "WHERE kind = 'outcome' GROUP BY ALL HAVING count(*) > 1)";
const unproven =
  "SELECT count(*)::INTEGER AS n FROM (SELECT plan_cid, sequence FROM ledger WHERE kind = 'outcome' " +
  "AND outcome = 'done' INTERSECT SELECT plan_cid, sequence FROM ledger WHERE kind = 'permit') " +
  "WHERE (plan_cid, sequence) NOT IN (SELECT (plan_cid, sequence) FROM ledger WHERE kind = 'proof')";

/** The one number `n` that a query gives. */
export async function single(space: Workspace, sql: string): Promise<number> {
  const { rows } = await space.json<{ rows: { n: number }[] }>("index", "query", sql);
  return rows[0]?.n ?? -1;
}
