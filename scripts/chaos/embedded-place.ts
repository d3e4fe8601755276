import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { initialiseCluster } from "#jobs/postgres-cluster.ts";
import { isServerProcess, stopServer } from "#jobs/server-process.ts";
import { emptyPostgres } from "./postgres-place.ts";
import type { QueuePlace } from "./queue-place.ts";

/** The PostgreSQL that the nodes embed: they start it, so it comes back by their doing alone. */
export function embeddedPlace(directory: string): QueuePlace {
  const running = async (): Promise<{ pid: number; url: string } | undefined> => {
    const cluster = await initialiseCluster(directory);
    const file = join(cluster.dataDirectory, "postmaster.pid");
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    const pid = Number(lines[0]);
    if (!(await isServerProcess(pid))) return undefined;
    const place = `127.0.0.1:${lines[3] ?? ""}`;
    return { pid, url: `postgres://thermocline:${cluster.password}@${place}/postgres` };
  };
  const stop = async (how: "kill" | "clean"): Promise<void> => {
    const server = await running();
    if (server === undefined) return;
    if (how === "kill") process.kill(server.pid, "SIGKILL");
    else await stopServer(server.pid);
  };
  return {
    kind: "embedded",
    url: undefined,
    link: undefined,
    directUrl: async () => (await running())?.url,
    start: () => Promise.resolve(),
    stop,
    loseData: async () => {
      const server = await running();
      if (server !== undefined) await emptyPostgres(server.url);
    },
    abandon: () => {
      const file = join(directory, "cluster", "data", "postmaster.pid");
      const pid = existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : 0;
      if (pid > 0) process.kill(pid, "SIGQUIT");
    },
    // The last node stops it; after a kill it may have outlived them.
    close: () => stop("clean"),
  };
}
