import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisAnswers } from "../../scripts/services/ask-redis.ts";
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
