import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openEmbeddedPostgres } from "#jobs/embedded-postgres.ts";

/** A queue server of a test's own, on a loopback port, gone after `stop`. */
export interface QueueServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The kinds of queue server that the kit runs on; `missing` says why one cannot run here. */
export const queueServers = [
  { name: "embedded PostgreSQL", missing: undefined, start: startPostgres },
  { name: "Redis", missing: missingRedis(), start: startRedis },
] as const;

/** A folder for one test that other users may enter (a server may not run as root). */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-test-"));
  await chmod(folder, 0o755);
  return folder;
}

async function startPostgres(): Promise<QueueServer> {
  const folder = await openFolder();
  const server = await openEmbeddedPostgres(folder);
  return {
    url: server.url,
    stop: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startRedis(): Promise<QueueServer> {
  const folder = await openFolder();
  const port = await freePort();
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  while (!output.includes("Ready to accept connections")) {
    if (child.exitCode !== null) throw new Error(`redis-server ended: ${output}`);
    await sleep(10);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function missingRedis(): string | undefined {
  const found = spawnSync("redis-server", ["--version"]).status === 0;
  return found ? undefined : "redis-server is not on the path (Debian: apt install redis-server)";
}

/** A loopback port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === "object" && address !== null ? address.port : 0;
}
