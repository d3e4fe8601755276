import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redis } from "../../scripts/services/redis.ts";
import { freePort, startServer } from "./server-process.ts";

/** Why Redis cannot be started here, or undefined. */
export function redisMissing(): string | undefined {
  const found = redis.find();
  return found.available ? undefined : `redis-server: ${found.reason}`;
}

/** A Redis of a test's own: loopback, random port, private folder, nothing kept. */
export async function startRedis(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const found = redis.find();
  if (!found.available) throw new Error(found.reason);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const server = await startServer(found.path, args, { folder, answers: () => answers(port) });
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether the server says PONG, in its own protocol: no client is needed for that. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (chunk) => {
      end(chunk.toString().startsWith("+PONG"));
    });
    socket.once("error", () => {
      end(false);
    });
  });
}
