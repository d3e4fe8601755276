import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { queueServers, type QueueServer } from "../conformance/queue-servers.ts";
import { Workspace } from "../integration/workspace.ts";
import { said } from "./lose-a-machine.ts";
import { single, stateOf } from "./takeover-run.ts";
import { twoMachines } from "./two-machines.ts";

const redis = queueServers.filter(({ name, missing }) => name === "Redis" && missing === undefined);
let server: QueueServer | undefined;
const spaces: Workspace[] = [];

afterEach(async () => {
  for (const space of spaces.splice(0).toReversed()) await space.dispose();
  await server?.stop();
  server = undefined;
});

describe.each(redis)("two controllers with a data directory each, on $name", (kind) => {
  test("a clean end hands the whole index over, and nothing has to wait", async () => {
    const [first, second] = await open(kind.start);
    const active = await first.startController();
    const standby = second.start("controller", "--node-name", "second");
    await said(second, "waiting as standby: the controller on node");
    active.kill("SIGTERM");
    await once(active, "exit");
    await isActive(second, standby.pid);
    expect(await objectsOf(second)).toBe(26);
    expect(await termOf(second)).toMatchObject({ complete: true, waits: false });
  }, 300_000);

  test("frozen beyond its lease, the old one writes nothing more and ends with code 11", async () => {
    const [first, second] = await open(kind.start);
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
  }, 300_000);

  test("frozen in the middle of a run, it writes nothing into its own index either", async () => {
    const [first, second] = await open(kind.start);
    const active = await first.startController();
    const standby = second.start("controller", "--node-name", "second");
    await said(second, "waiting as standby: the controller on node");
    await first.ok("apply", "--yes", "--no-wait", "--override", "objects");
    first.start("worker", "--node-name", "worker-1");
    await expect
      .poll(() => single(first, entries("kind = 'permit'")), { timeout: 60_000 })
      .toBeGreaterThan(0);
    active.kill("SIGSTOP");
    await isActive(second, standby.pid);
    const ended = once(active, "exit");
    active.kill("SIGCONT");
    expect((await ended)[0]).toBe(11);
    // What it was at when it froze is not written; nor is anything that it was told since.
    const { rows } = await second.json<{ rows: { began: string }[] }>("index", "query", lastTerm);
    expect(await single(first, entries(`recorded >= TIMESTAMP '${rows[0]?.began}'`))).toBe(0);
    expect(await single(first, countTerms)).toBe(2);
    expect(await single(second, countTerms)).toBe(3);
  }, 180_000);
});

const lastTerm =
  "SELECT strftime(began, '%Y-%m-%d %H:%M:%S.%f') AS began FROM controller_terms " +
  "ORDER BY epoch DESC LIMIT 1";
const countTerms = "SELECT count(*)::INTEGER AS n FROM controller_terms";
const entries = (condition: string): string =>
  `SELECT count(*)::INTEGER AS n FROM ledger_entries WHERE ${condition}`;

async function open(start: () => Promise<QueueServer>): Promise<readonly [Workspace, Workspace]> {
  server = await start();
  const pair = await twoMachines({ queueUrl: server.url, files: 20, every: "1s" });
  spaces.push(...pair);
  return pair;
}

async function isActive(space: Workspace, pid: number | undefined): Promise<void> {
  await expect
    .poll(() => stateOf(space.path), { timeout: 120_000, interval: 50 })
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
