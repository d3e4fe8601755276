import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { askRedis, redisAnswers } from "../services/ask-redis.ts";
import { redis } from "../services/redis.ts";
import { freePort, type ServerProcess, startServer } from "../services/server-process.ts";
import type { QueuePlace } from "./queue-place.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** A Redis of its own that keeps what it holds across restarts (append-only file). */
export async function redisPlace(folder: string): Promise<QueuePlace> {
  const found = redis.find();
  if (!found.available) throw new Error(`redis-server: ${found.reason}`);
  const data = join(folder, "redis");
  await mkdir(data, { recursive: true });
  const port = await freePort();
  const link = await TcpProxy.open(() => port);
  let server: ServerProcess | undefined;
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", data, "--save", ""];
  const stop = async (how: "kill" | "clean"): Promise<void> => {
    await (how === "kill" ? server?.kill() : server?.stop());
    server = undefined;
  };
  return {
    kind: "redis",
    url: `redis://127.0.0.1:${link.port}`,
    link,
    directUrl: async () => (server === undefined ? undefined : `redis://127.0.0.1:${port}`),
    start: async () => {
      server ??= await startServer(found.path, [...settings, "--appendonly", "yes"], {
        folder: data,
        answers: () => redisAnswers(port),
      });
    },
    stop,
    loseData: async () => {
      await askRedis(port, "FLUSHALL");
    },
    abandon: () => server?.abandon(),
    close: async () => {
      await link.close();
      await stop("clean");
    },
  };
}
