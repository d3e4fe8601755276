import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askRedis, redisAnswers } from "../../scripts/services/ask-redis.ts";
import { redis } from "../../scripts/services/redis.ts";
import { freePort, startServer } from "../../scripts/services/server-process.ts";

/** Why Redis cannot be started here, or undefined. */
export function redisMissing(): string | undefined {
  const found = redis.find();
  return found.available ? undefined : `redis-server: ${found.reason}`;
}

/**
 * A Redis of a test's own: loopback, random port, private folder, nothing kept. `more` are
 * settings that win over these.
 */
export async function startRedis(
  more: readonly string[] = [],
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const found = redis.find();
  if (!found.available) throw new Error(found.reason);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-redis-"));
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    ...more,
  ];
  const server = await startServer(found.path, args, { folder, answers: () => redisAnswers(port) });
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A Redis Cluster of one node that owns every slot: it refuses whatever touches keys of several
 * slots at once (CROSSSLOT), as a larger one does.
 */
export async function startRedisCluster(): ReturnType<typeof startRedis> {
  const server = await startRedis(["--cluster-enabled", "yes"]);
  const port = Number(new URL(server.url).port);
  await askRedis(port, "CLUSTER ADDSLOTSRANGE 0 16383");
  while (!(await askRedis(port, "CLUSTER INFO")).includes("cluster_state:ok")) await sleep(50);
  return server;
}
