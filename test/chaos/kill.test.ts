import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Workspace } from "../integration/workspace.ts";
import { redisMissing, startRedis } from "../services/redis.ts";

const kills = Number(process.env["THERMOCLINE_TEST_KILLS"] ?? 20);
const small = 1_500;

/** Everything gets a second copy, and what is not tiny moves from hot to cold. */
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: everything}
rules:
  - name: two-regions
    where: size >= 0
    ensure: {copies: 2, on: tier >= warm, confidence: verified}
  - name: cool
    where: size >= 8KiB
    demote: {from: tier = hot, to: backend = "cold"}
`;

let workspace: Workspace | undefined;
let stopServer: (() => Promise<void>) | undefined;

afterEach(async () => {
  await workspace?.dispose();
  await stopServer?.();
  [workspace, stopServer] = [undefined, undefined];
});

describe.each(["embedded PostgreSQL", "Redis"])("killed at random moments, on %s", (queue) => {
  test(`${kills} times kill -9: the run completes, nothing falls below its minimum`, async (context) => {
    let queueUrl: string | undefined;
    if (queue === "Redis") {
      const missing = redisMissing();
      if (missing !== undefined) context.skip(missing);
      const redis = await startRedis();
      queueUrl = redis.url;
      stopServer = () => redis.stop();
    }
    workspace = await Workspace.create({
      policies: { everything: policy },
      ...(queueUrl === undefined ? {} : { queueUrl }),
    });
    const source = await makeTree(workspace);
    await workspace.ok("import", "dir", source, "--backend", "hot");
    const seed = Number(process.env["THERMOCLINE_TEST_SEED"] ?? 20_261_121);
    await killWhileRunning(workspace, seed);

    const { runs } = await workspace.json<{ runs: RunRow[] }>("runs");
    expect(runs.map((run) => run.state)).toEqual(["completed"]);
    expect(runs[0]?.progress).toMatchObject({ failed: 0, cancelled: 0, remaining: 0 });
    const { status } = await workspace.json<{
      status: { belowMinimum: number; objects: number };
    }>("status");
    expect(status.belowMinimum).toBe(0);
    expect(await single(workspace, duplicateOutcomes)).toBe(0);
    expect(await single(workspace, unprovenRemovals)).toBe(0);
    expect(await single(workspace, outcomeCount)).toBe(runs[0]?.progress.actions);
    await workspace.ok("audit", "check");
    const report = await workspace.audit();
    expect(report).toMatchObject({ corrupt: 0, missing: 0, objects: status.objects });
    expect(Object.keys(report.objectsByIntactCopies)).not.toContain("0");
    expect(Object.keys(report.objectsByIntactCopies)).not.toContain("1");
  }, 600_000);
});

interface RunRow {
  readonly id: string;
  readonly state: string;
  readonly progress: { readonly actions: number; readonly remaining: number };
}

const duplicateOutcomes =
  "SELECT count(*)::INTEGER AS n FROM (SELECT plan_cid, sequence FROM ledger " +
  "WHERE kind = 'outcome' GROUP BY ALL HAVING count(*) > 1)";
const outcomeCount = "SELECT count(*)::INTEGER AS n FROM ledger WHERE kind = 'outcome'";
const unprovenRemovals =
  "SELECT count(*)::INTEGER AS n FROM copy c RIGHT JOIN (SELECT DISTINCT object_id FROM ledger " +
  "WHERE kind = 'permit') p USING (object_id) WHERE c.object_id IS NULL";

async function single(workspace: Workspace, sql: string): Promise<number> {
  const { rows } = await workspace.json<{ rows: { n: number }[] }>("index", "query", sql);
  return rows[0]?.n ?? -1;
}

async function makeTree(workspace: Workspace): Promise<string> {
  const source = join(workspace.path, "source");
  await mkdir(source);
  for (let file = 0; file < small; file += 1) {
    await writeFile(join(source, `small-${file}.bin`), randomBytes(1 + ((file * 7_919) % 40_000)));
  }
  for (let file = 0; file < 12; file += 1) {
    await writeFile(join(source, `large-${file}.bin`), randomBytes(5 * 1024 * 1024 + file));
  }
  return source;
}

async function killWhileRunning(workspace: Workspace, seed: number): Promise<void> {
  const random = generator(seed);
  const names = ["controller", "worker-1", "worker-2"] as const;
  const nodes = new Map<string, ChildProcess>();
  nodes.set("controller", await workspace.startController());
  for (const name of names.slice(1))
    nodes.set(name, workspace.start("worker", "--node-name", name));
  await workspace.ok("apply", "--yes", "--no-wait", "--override", "objects");
  for (let kill = 0; kill < kills; kill += 1) {
    await delay(100 + random() * 900);
    const name = names[Math.floor(random() * names.length)] ?? "controller";
    const victim = nodes.get(name);
    victim?.kill("SIGKILL");
    if (victim?.exitCode === null && victim.signalCode === null) await once(victim, "exit");
    const again =
      name === "controller"
        ? await workspace.startController()
        : workspace.start("worker", "--node-name", name);
    nodes.set(name, again);
  }
  const deadline = Date.now() + 240_000;
  for (;;) {
    const { runs } = await workspace.json<{ runs: RunRow[] }>("runs");
    if (runs.every((run) => run.state !== "running")) return;
    if (Date.now() > deadline) throw new Error(`the run hangs: ${JSON.stringify(runs)}`);
    await delay(500);
  }
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
