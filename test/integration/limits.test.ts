import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { allOnCold } from "./all-on-cold.ts";
import { storedBytes } from "./stored-bytes.ts";
import { Workspace } from "./workspace.ts";

const MiB = 1024 * 1024;

let server: QueueServer | undefined;
let workspace: Workspace | undefined;
const redis = queueServers[1];
const why = redis.missing === undefined ? "" : ` (skipped: ${redis.missing})`;
beforeAll(async () => {
  if (redis.missing === undefined) server = await redis.start();
});
afterEach(() => workspace?.dispose());
afterAll(async () => {
  await server?.stop();
});

const name = "a bandwidth holds over two workers, and a change of it is felt within two seconds";
test.skipIf(redis.missing !== undefined)(
  `${name}${why}`,
  async () => {
    if (server === undefined) throw new Error("no queue server");
    workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
    const source = join(workspace.path, "content");
    await mkdir(source);
    for (let at = 0; at < 34; at += 1) {
      await writeFile(join(source, `${at}.bin`), randomBytes(6 * MiB));
    }
    await workspace.startController();
    workspace.start("worker", "--node-name", "worker-1");
    workspace.start("worker", "--node-name", "worker-2");
    await workspace.ok("import", "dir", source, "--backend", "hot");
    // Few batches at a time on each node, so that both are at work.
    const { limits } = await set("--bandwidth", "10M", "--per-node", "3");
    expect(limits).toMatchObject({ bandwidth: "10M", uploadBytesPerSecond: 10 * MiB, perNode: 3 });

    const applied = workspace.ok("apply", "--yes", "--override", "objects");
    const meter = measure(workspace.storage("cold"));
    await until(() => meter.bytes() > 6 * MiB);
    await within(meter, 10, 2_500);
    const changed = ["--bandwidth", "4M", "--until", "1h", "--reason", "a test"];
    const { limits: shared } = await set(...changed);
    expect(shared).toMatchObject({ override: { bandwidth: "4M", reason: "a test" } });
    const { nodes } = shared as { nodes: readonly string[] };
    expect(nodes.filter((node) => node.startsWith("worker-"))).toHaveLength(2);
    await sleep(2_000);
    await within(meter, 4, 3_000);
    await workspace.ok("limits", "reset", "cold");
    await until(async () => {
      const before = meter.mark();
      await sleep(300);
      return rate(before, meter.mark()) > 6;
    });
    await applied;
    meter.stop();
    expect(await workspace.ok("limits")).toMatch(/cold +no limit +no limit +16 +4/);
  },
  120_000,
);

async function set(...limits: readonly string[]): Promise<{ readonly limits: unknown }> {
  if (workspace === undefined) throw new Error("no workspace");
  return workspace.json<{ limits: unknown }>("limits", "set", "cold", ...limits);
}

interface Mark {
  readonly at: number;
  readonly bytes: number;
}

/** Watches how many bytes stand in a folder, whole objects and those on their way. */
function measure(folder: string) {
  let last: Mark = { at: performance.now(), bytes: 0 };
  const stopped = new AbortController();
  void (async () => {
    while (!stopped.signal.aborted) {
      const at = performance.now();
      last = { at, bytes: await storedBytes(folder) };
      await sleep(50);
    }
  })();
  return {
    bytes: () => last.bytes,
    mark: () => last,
    stop: () => {
      stopped.abort();
    },
  };
}

/**
 * At no time faster than the limit, and as fast as the limit: other work on this machine may
 * slow some of the time down, never all of it.
 */
async function within(meter: ReturnType<typeof measure>, limit: number, ms: number) {
  const rates: number[] = [];
  while (rates.length < 3) {
    const from = meter.mark();
    await sleep(ms);
    const found = rate(from, meter.mark());
    rates.push(found);
    expect(found).toBeLessThan(limit * 1.1);
    if (found > limit * 0.9) return;
  }
  expect.fail(`${rates.join(", ")} MiB/s where ${limit} are allowed`);
}

/** MiB per second. */
function rate(from: Mark, to: Mark): number {
  return ((to.bytes - from.bytes) * 1_000) / (to.at - from.at) / MiB;
}
