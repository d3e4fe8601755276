import { once } from "node:events";
import {
  appendFile,
  chmod,
  copyFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { queueServers, type QueueServer } from "../conformance/queue-servers.ts";
import { Workspace } from "../integration/workspace.ts";
import { coolDown, makeFiles, stateOf } from "./takeover-run.ts";

const redis = queueServers.filter(({ name, missing }) => name === "Redis" && missing === undefined);
let server: QueueServer | undefined;
const spaces: Workspace[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const space of spaces.splice(0)) await space.dispose();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  await server?.stop();
  server = undefined;
});

describe.each(redis)("two controllers with a data directory each, on $name", (kind) => {
  test("a clean end hands the whole index over, and nothing has to wait", async () => {
    const [first, second] = await twoMachines(kind.start);
    const active = await first.startController();
    const standby = second.start("controller", "--node-name", "second");
    await said(second, "waiting as standby: the controller on node");
    active.kill("SIGTERM");
    await once(active, "exit");
    await isActive(second, standby.pid);
    expect(await objectsOf(second)).toBe(26);
    expect(await termOf(second)).toMatchObject({ complete: true, waits: false });
  }, 120_000);

  test("frozen beyond its lease, the old one writes nothing more and ends with code 11", async () => {
    const [first, second] = await twoMachines(kind.start);
    const active = await first.startController();
    const standby = second.start("controller", "--node-name", "second");
    await said(second, "waiting as standby: the controller on node");
    active.kill("SIGSTOP");
    const frozenAt = performance.now();
    await isActive(second, standby.pid);
    console.info(`took over after ${Math.round(performance.now() - frozenAt)} ms`);
    expect(await objectsOf(second)).toBe(26);
    expect(await termOf(second)).toMatchObject({ complete: false, waits: true });
    const ended = once(active, "exit");
    active.kill("SIGCONT");
    expect((await ended)[0]).toBe(11);
    expect(await readFile(first.log, "utf8")).toContain("another controller may be active");
    const names = await readdir(join(first.path, "published"));
    const terms = names.filter((name) => name.endsWith(".json")).toSorted();
    // The import was the first term, the frozen controller the second, the standby the third.
    expect(terms.at(-1)).toMatch(/^0000000003-/);
    expect(terms.filter((name) => /^0000000002-.*final/.test(name))).toEqual([]);
  }, 120_000);
});

/** Two workspaces with one queue, one storage and one folder of published indexes. */
async function twoMachines(
  start: () => Promise<QueueServer>,
): Promise<readonly [Workspace, Workspace]> {
  server = await start();
  const first = await Workspace.create({
    policies: { "cool-down": coolDown },
    queueUrl: server.url,
  });
  spaces.push(first);
  const path = await mkdtemp(join(tmpdir(), "thermocline-test-"));
  await chmod(path, 0o755);
  const second = Workspace.at(path);
  folders.push(path);
  spaces.push(second);
  const config = join(first.path, "thermocline.yaml");
  const published = join(first.path, "published");
  await appendFile(config, `standby: {directory: "${published}", every: 1s, keep: 1000}\n`);
  await copyFile(config, join(path, "thermocline.yaml"));
  await cp(join(first.path, "policies"), join(path, "policies"), { recursive: true });
  await makeFiles(first.path, 20);
  await first.ok("import", "dir", join(first.path, "source"), "--backend", "hot");
  await symlink(join(first.path, "storage"), join(path, "storage"));
  return [first, second];
}

async function said(space: Workspace, line: string): Promise<void> {
  await expect
    .poll(() => readFile(space.log, "utf8").catch(() => ""), { timeout: 20_000 })
    .toContain(line);
}

async function isActive(space: Workspace, pid: number | undefined): Promise<void> {
  await expect
    .poll(() => stateOf(space.path), { timeout: 30_000, interval: 50 })
    .toMatchObject({ pid });
}

async function objectsOf(space: Workspace): Promise<number> {
  return (await space.json<{ status: { objects: number } }>("status")).status.objects;
}

async function termOf(space: Workspace): Promise<object> {
  const sql =
    "SELECT complete, permits_from > now()::TIMESTAMP AS waits FROM controller_terms " +
    "ORDER BY epoch DESC LIMIT 1";
  const { rows } = await space.json<{ rows: object[] }>("index", "query", sql);
  return rows[0] ?? {};
}
