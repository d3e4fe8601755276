import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { DriftEntry, InventoryReport } from "#model/inventory.ts";
import { Workspace } from "./workspace.ts";

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.dispose();
  workspace = undefined;
});

test("an inventory finds what a person did to a disk, and drift tells it in every form", async () => {
  workspace = await Workspace.create({ policies: {} });
  const { path } = workspace;
  const untouched = await workspace.run("drift", "hot");
  expect([untouched.code, untouched.stderr]).toEqual([
    1,
    expect.stringContaining("thermocline import inventory hot"),
  ]);
  await workspace.ok("import", "dir", await workspace.writeFiles(4, 100), "--backend", "hot");
  const [gone = "", short = ""] = await storedFiles(join(path, "storage", "hot", "objects"));
  await rm(gone);
  await truncate(short, 7);

  const inventory = ["import", "inventory", "hot", "--detailed-exitcode", "-o", "json"];
  const dry = await workspace.run(...inventory, "--dry-run");
  const real = await workspace.run(...inventory);
  expect([dry.code, real.code]).toEqual([2, 2]);
  const figures = { listed: 3, confirmed: 2, lost: 1, unexpected: 0, changed: 1, foreign: 0 };
  for (const { stdout } of [dry, real]) {
    const { report } = JSON.parse(stdout) as { report: InventoryReport };
    expect(report).toMatchObject({ backend: "hot", source: "listing", ...figures });
  }
  const told = await workspace.run("drift", "hot", "--detailed-exitcode", "-o", "json");
  expect(told.code).toBe(2);
  const { drift, inventories } = JSON.parse(told.stdout) as {
    drift: readonly DriftEntry[];
    inventories: readonly InventoryReport[];
  };
  expect(inventories).toMatchObject([figures]);
  const locators = [short, gone].map((file) => file.slice(file.indexOf("objects/")));
  expect(drift).toMatchObject([
    { kind: "changed", detail: "size", bytes: 7, believedBytes: 100, locator: locators[0] },
    { kind: "lost", believedBytes: 100, locator: locators[1] },
  ]);
  const csv = await workspace.ok("drift", "--kind", "lost", "-o", "csv");
  expect(csv.split("\r\n")).toMatchObject([
    "backend,kind,detail,cid,path,locator,form,bytes,believedBytes",
    `hot,lost,,${drift[1]?.cid},${drift[1]?.path},${locators[1]},file,,100`,
    "",
  ]);
  await workspace.ok("drift", "-o", "drift.ndjson");
  const lines = (await readFile(join(path, "drift.ndjson"), "utf8")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as DriftEntry).kind)).toEqual(["changed", "lost"]);
  await writeFile(gone, "anything else of another size");
  const next = await workspace.run(...inventory);
  expect(JSON.parse(next.stdout)).toMatchObject({ report: { listed: 4, lost: 0, changed: 2 } });
}, 300_000);

async function storedFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((a, b) => (a < b ? -1 : 1));
}
