import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workspace } from "./workspace.ts";

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: durable}
rules:
  - name: two-copies
    where: size > 0
    ensure: {copies: 2, on: tier >= hot, confidence: verified}
  - name: cool
    where: idle >= 0s and size >= 1KiB
    demote: {from: tier = hot, to: tier = cold}
`;

let workspace: Workspace;

beforeEach(async () => {
  workspace = await Workspace.create({ policies: { durable: policy } });
  const source = join(workspace.path, "source");
  await mkdir(source);
  for (let file = 0; file < 40; file += 1) {
    await writeFile(join(source, `${file}.txt`), `content ${file} `.repeat(1 + file * 8));
  }
  await workspace.ok("import", "dir", source, "--backend", "hot");
});

afterEach(() => workspace.dispose());

test("a plan made twice on the same index is the same plan, byte for byte", async () => {
  for (const name of ["first", "second"]) await workspace.ok("plan", "--out", name);
  const [first, second] = await Promise.all([savedPlan("first"), savedPlan("second")]);
  expect(second.cid).toBe(first.cid);
  expect(second.rows).toEqual(first.rows);
});

test("planning, explaining and validating write nothing", async () => {
  await workspace.startController();
  const state = async () => ({
    files: await digests(workspace.path),
    ledger: await workspace.ok("index", "query", "SELECT count(*) FROM ledger"),
  });
  const before = await state();
  await workspace.ok("plan");
  await workspace.ok("validate");
  await workspace.ok("explain", "/source/7.txt");
  await workspace.run("plan", "--at", "2030-01-01");
  expect(await state()).toEqual(before);
});

test("applied, the plan leaves nothing to do; a saved plan that is stale is refused", async () => {
  await workspace.ok("plan", "--out", "saved");
  await workspace.ok("apply", "--yes", "--override", "objects");
  const again = await workspace.run("plan", "--detailed-exitcode");
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/nothing to do/);
  const stale = await workspace.run(
    "apply",
    "--plan",
    "saved.plan.json",
    "--yes",
    "--override",
    "objects",
  );
  expect(stale.code).toBe(6);
  expect(stale.stderr).toMatch(/no longer what would be done/);
  const report = await workspace.audit();
  expect(report).toMatchObject({ corrupt: 0, missing: 0, objectsByIntactCopies: { 2: 40 } });
});

test("without a yes nothing runs, and a guard refuses with the flag that overrides it", async () => {
  expect((await workspace.run("apply", "--override", "objects")).code).toBe(64);
  const refused = await workspace.run("apply", "--yes");
  expect(refused.code).toBe(6);
  expect(refused.stderr).toMatch(/--override objects/);
  expect((await workspace.json<{ runs: unknown[] }>("runs")).runs).toEqual([]);
});

async function savedPlan(name: string): Promise<{ cid: string; rows: Buffer }> {
  const text = await readFile(join(workspace.path, `${name}.plan.json`), "utf8");
  const rows = await readFile(join(workspace.path, `${name}.plan.parquet`));
  return { cid: (JSON.parse(text) as { cid: string }).cid, rows };
}

async function digests(root: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // The queue's server works on its own files, whatever we do; logs may grow.
    .filter((path) => !/\.thermocline\/queue|\.log$/.test(path));
  const hashed = files.map(async (path) => {
    const hash = createHash("sha256").update(await readFile(path));
    return [relative(root, path), hash.digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(hashed));
}
