import { rm } from "node:fs/promises";
import { exportObjects, listObjects, type ObjectSource } from "#engine/objects.ts";
import { makeReport } from "#engine/reports/make-report.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { ObjectsRequest } from "#model/engine-api.ts";
import { rowsAt } from "#jobs/plan-file.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { compilePolicyText } from "./compile-policy-text.ts";
import { takeFirstInventory, takeNextInventory } from "./inventory-works.ts";
import { limitedRule } from "./limited-rule.ts";
import { livelyTime } from "./lively-index.ts";

/** Works with every object of a lively index; whatever they write begins with `out`, and goes. */
export const works: Readonly<
  Record<string, (index: ObjectIndex, out: string, copies: number) => Promise<unknown>>
> = {
  "first-inventory": takeFirstInventory,
  "next-inventory": takeNextInventory,
  plan: planEverything,
  "limited-plan": planLimited,
  snapshot: snapshotEverything,
  list: (index) => listEverything(index, {}),
  "sorted-list": (index) => listEverything(index, { sort: "heat desc, size" }),
  "filtered-list": (index) => listEverything(index, { where: "heat >= 0.5 and size > 1KiB" }),
  report: reportEverything,
  csv: (index, out) => exportList(index, `${out}.csv`),
  json: (index, out) => exportList(index, `${out}.json`),
  export: (index, out) => exportEverything(index, `${out}.parquet`, "parquet"),
  arrow: (index, out) => exportEverything(index, `${out}.arrow`, "arrow"),
};

/** Plans something for every object; says the plan's CID. */
export function planEverything(index: ObjectIndex, out: string): Promise<string> {
  const text =
    "- {name: two, where: heat >= 1, ensure: {copies: 2, on: tier >= warm}}\n" +
    "- name: cool\n  where: heat < 1\n  order: [heat asc]\n" +
    "  demote: {from: tier = hot, to: tier = cold}";
  return planText(index, out, text);
}

/** Plans the moves of a rule with an order and a limit; says the plan's CID. */
export function planLimited(index: ObjectIndex, out: string, objects: number): Promise<string> {
  return planText(index, out, limitedRule(objects));
}

async function planText(index: ObjectIndex, out: string, text: string): Promise<string> {
  const moment = { now: livelyTime, backends: await index.backends(), heat: await index.heat() };
  const set = await compilePolicyText(text, moment);
  await using session = await index.session();
  const rows = `${out}.parquet`;
  try {
    const { cid } = await buildPlan(set, session, {
      engine: "bench",
      indexVersion: 1,
      writeRows: rowsAt(rows),
    });
    return cid;
  } finally {
    await rm(rows, { force: true });
  }
}

async function snapshotEverything(index: ObjectIndex, out: string): Promise<void> {
  try {
    await takeSnapshot(index, new SnapshotStore(out), { now: livelyTime });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function listEverything(index: ObjectIndex, request: ObjectsRequest): Promise<number> {
  let bytes = 0;
  for await (const piece of listObjects(await sourceOf(index), request)) {
    // As an answer has them.
    bytes += JSON.stringify(piece).length;
  }
  return bytes;
}

async function reportEverything(index: ObjectIndex): Promise<void> {
  const source = { ...(await sourceOf(index)), minimumCopies: 1 };
  for (const by of ["tier", "owner"] as const) {
    for (const report of ["usage", "heat", "copies", "cost", "age"] as const) {
      await makeReport(source, { report, by });
    }
  }
}

async function exportList(index: ObjectIndex, file: string): Promise<void> {
  try {
    await exportObjects(await sourceOf(index), { file, sort: "heat desc, size" });
  } finally {
    await rm(file, { force: true });
  }
}

async function sourceOf(index: ObjectIndex): Promise<ObjectSource> {
  return {
    index,
    registry: await loadAttributes(),
    now: () => livelyTime,
    moment: async (at) => ({
      now: at,
      backends: await index.backends(),
      heat: await index.heat(),
    }),
  };
}

async function exportEverything(
  index: ObjectIndex,
  path: string,
  format: "arrow" | "parquet",
): Promise<void> {
  await using session = await index.session();
  const text = "SELECT * FROM object ORDER BY heat_weight DESC, size, object_id";
  try {
    await session.exportRows({ text, parameters: [] }, path, format);
  } finally {
    await rm(path, { force: true });
  }
}
