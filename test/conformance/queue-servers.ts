import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedPostgres } from "#jobs/embedded-postgres.ts";
import { redisMissing, startRedis } from "../services/redis.ts";

/** A queue server of a test's own, on a loopback port, gone after `stop`. */
export interface QueueServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A kind of queue server that the kit runs on; `missing` says why it cannot run here. */
export interface QueueServerKind {
  readonly name: string;
  readonly missing: string | undefined;
  start(): Promise<QueueServer>;
}

/** The kinds of queue server that every promise about queues is kept on. */
export const queueServers = [
  { name: "embedded PostgreSQL", missing: undefined, start: startPostgres },
  { name: "Redis", missing: redisMissing(), start: () => startRedis() },
] as const satisfies readonly QueueServerKind[];

/** A folder for one test that other users may enter (a server may not run as root). */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-test-"));
  await chmod(folder, 0o755);
  return folder;
}

/** Keeps an installation of a test apart from others on the same server. */
export function queuePrefix(): string {
  return `test-${randomBytes(6).toString("hex")}`;
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
