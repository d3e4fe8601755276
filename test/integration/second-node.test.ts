import { access, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ObjectSummary } from "#model/engine-api.ts";
import type { SnapshotList, SnapshotReport } from "#model/index-snapshot.ts";
import { type CommandOutput, runCommand, stopNode } from "../../scripts/thermocline-process.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { allOnCold } from "./all-on-cold.ts";
import { Workspace } from "./workspace.ts";

const server = sharedQueueServer();
const limitMs = 180_000;

let workspace: Workspace;
let elsewhere: string;

beforeEach(async () => {
  workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
  elsewhere = await mkdtemp(join(tmpdir(), "thermocline-second-"));
});
afterEach(async () => {
  await workspace.dispose();
  await rm(elsewhere, { recursive: true, force: true });
});

/** Another machine that reaches the backends and nothing else. */
async function configureSecond(): Promise<void> {
  const config = await readFile(join(workspace.path, "thermocline.yaml"), "utf8");
  const backends = config.slice(config.indexOf("backends:"));
  const far = backends.replaceAll("./storage", join(workspace.path, "storage"));
  const text = `apiVersion: thermocline/v1\npolicies: [${workspace.path}/policies]\n${far}`;
  await writeFile(join(elsewhere, "thermocline.yaml"), text);
}

async function second(...args: string[]): Promise<CommandOutput> {
  return await runCommand(elsewhere, args, { CI: "true", NO_COLOR: "1" });
}

async function names(...args: string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await second("objects", "ls", ...args, "-o", "json");
  if (code !== 0) throw new Error(stderr);
  const { objects } = JSON.parse(stdout) as { readonly objects: readonly ObjectSummary[] };
  return objects.map(({ path }) => path ?? "").toSorted();
}

test(
  "a second node answers from the newest snapshot that it can fetch, controller or not",
  async () => {
    const source = await workspace.writeFiles(3, 2_000);
    const controller = await workspace.startController();
    await workspace.ok("import", "dir", source, "--backend", "hot");
    const { cid } = await workspace.json<SnapshotReport>("index", "snapshot");
    expect(await workspace.ok("index", "snapshot", "push", "--to", "cold")).toContain(cid);

    const fetched = ["--snapshot", "newest", "--from", "cold"];
    await configureSecond();
    // Two at once fetch and open the same snapshot, and neither disturbs the other.
    const both = await Promise.all([names(...fetched), names(...fetched)]);
    expect(both.map(({ length }) => length)).toEqual([3, 3]);
    await stopNode(controller);
    const first = await second("objects", "ls", ...fetched);
    expect(first.code).toBe(0);
    expect(first.stderr).toMatch(new RegExp(`as of snapshot ${cid}, taken .* ago`));
    const count = ["index", "query", "SELECT count(*) AS n FROM object", ...fetched];
    expect((await second(...count)).stdout).toMatch(/^N\s+3\s*$/);
    const plan = await second("plan", ...fetched);
    expect(plan.stdout).toContain(`on snapshot ${cid}`);
    expect(plan.stdout).toContain("hot → cold");

    // The backend may go as well: what was fetched stays.
    await rename(workspace.storage("cold"), `${workspace.storage("cold")}-away`);
    expect(await names("--snapshot", cid.slice(0, 20))).toHaveLength(3);
    const listed = await second("index", "snapshot", "ls", "-o", "json");
    expect((JSON.parse(listed.stdout) as SnapshotList).snapshots).toHaveLength(1);
    await expect(access(join(elsewhere, ".thermocline", "index.duckdb"))).rejects.toThrow("ENOENT");
  },
  limitMs,
);

test(
  "a lost index comes back from a backend, with what changed since from the inventories",
  async () => {
    const source = await workspace.writeFiles(4, 2_000);
    await workspace.ok("import", "dir", source, "--backend", "hot");
    const { cid } = await workspace.json<SnapshotReport>("index", "snapshot");
    await workspace.ok("index", "snapshot", "push", "--to", "warm");

    // What the snapshot does not know: copies on cold, and another object.
    await workspace.ok("apply", "--yes", "--override", "objects");
    await writeFile(join(source, "late.bin"), "late content");
    await workspace.ok("import", "dir", source, "--backend", "hot");
    const before = await copies();

    const data = join(workspace.path, ".thermocline");
    await rm(join(data, "index.duckdb"));
    await rm(join(data, "index.duckdb.wal"), { force: true });
    await rm(join(data, "snapshots"), { recursive: true });
    // Looking at what there is makes no index that would stand in the way.
    expect(await workspace.ok("index", "snapshot", "ls", "--on", "warm")).toContain(cid);
    const restore = ["index", "snapshot", "restore", "newest", "--from", "warm", "--inventories"];
    const restored = await workspace.run(...restore);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stdout).toContain(`${cid}\n4 objects`);
    expect(restored.stderr).toMatch(/cold has \d objects: \d unexpected/);

    expect(await copies()).toEqual(before);
    expect(await workspace.ok("audit", "check")).toBeDefined();
    expect((await workspace.audit()).problems).toBe("");
  },
  limitMs,
);

/** Which objects are where, as far as the index knows. */
async function copies(): Promise<string> {
  const sql = `SELECT hex(o.cid) AS cid, c.backend FROM copy AS c JOIN object AS o USING (object_id)
    WHERE c.state = 'present' ORDER BY ALL`;
  return await workspace.ok("index", "query", sql, "-o", "csv");
}
