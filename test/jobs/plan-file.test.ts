import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { planPaths, readPlan, rowsAt, rowsDiscarded, writePlan } from "#jobs/plan-file.ts";
import { planRows } from "#policies/plan/plan-rows.ts";
import { testBackend } from "../policies/demo-backends.ts";
import { openFixtureIndex } from "../policies/plan/fixture-index.ts";
import { planOf } from "../policies/plan/plan-of.ts";
import { ensure, on, ruleOf, setOf } from "../policies/plan/rule-of.ts";

const set = setOf(
  [testBackend({ id: 0, name: "hot" }), testBackend({ id: 1, name: "cold", tier: "cold" })],
  ruleOf("two", ensure(on(0, 1), 2)),
);

async function savedPlan() {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-test-"));
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  const index = await openFixtureIndex();
  await index.put([1, 2, 3].map((id) => ({ id, copies: { 0: "verified" } as const })));
  const name = join(folder, "monday");
  const writeRows = rowsAt(planPaths(name).rows);
  const { plan, actions } = await planOf(index, set, { writeRows });
  await writePlan(plan, name);
  return { folder, index, name, plan, actions };
}

test("a saved plan reads back as it was, by any of its names", async () => {
  const { folder, index, name, plan, actions } = await savedPlan();
  expect((await readdir(folder)).toSorted()).toEqual(["monday.plan.json", "monday.plan.parquet"]);
  for (const given of [name, `${name}.plan.json`, `${name}.plan.parquet`]) {
    expect(await readPlan(given)).toEqual(plan);
  }
  await using session = await index.session();
  expect(await planRows(session, plan.rowsPath, 1, 1)).toEqual(actions.slice(1, 2));
});

test("a plan has the same identity whether its rows are kept or not", async () => {
  const { index, plan } = await savedPlan();
  const unsaved = await planOf(index, set, { writeRows: rowsDiscarded() });
  expect(unsaved.plan.rowsPath).toBe("");
  expect(unsaved.plan.cid).toBe(plan.cid);
  await expect(writePlan(unsaved.plan, "nowhere")).rejects.toMatchObject({ code: "USAGE" });
});

test("a plan that was changed by hand is refused, header or rows", async () => {
  const { name } = await savedPlan();
  const { header, rows } = planPaths(name);
  const text = await readFile(header, "utf8");
  await writeFile(header, text.replace('"passed": true', '"passed": false'));
  await expect(readPlan(name)).rejects.toMatchObject({ code: "CORRUPT" });
  await writeFile(header, text);
  await appendFile(rows, "x");
  await expect(readPlan(name)).rejects.toMatchObject({ code: "CORRUPT" });
  await writeFile(header, "{}");
  await expect(readPlan(name)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(readPlan(`${name}-not`)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
