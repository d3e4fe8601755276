import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findController } from "#api/find-controller.ts";
import { TcpProxy } from "../../scripts/chaos/tcp-proxy.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { addFarBackend } from "./far-backend.ts";
import { Workspace } from "./workspace.ts";

const MiB = 1024 * 1024;
const fileBytes = Number(process.env["THERMOCLINE_TEST_PAUSE_MIB"] ?? 24) * MiB;
const files = 8;
/** The last byte leaves at most so long after `pause` was called. */
const pauseWithinMs = 2_000;
/** Requests that ask and heartbeats are no transfer. */
const noiseBytes = 128 * 1024;

let server: QueueServer | undefined;
let workspace: Workspace | undefined;
let written: Written | undefined;
let bucket: { server: VersitygwServer; link: TcpProxy } | undefined;
const redis = queueServers[1];
beforeAll(async () => {
  if (redis.missing === undefined) server = await redis.start();
});
afterEach(async () => {
  await written?.[Symbol.asyncDispose]();
  await workspace?.dispose();
  await bucket?.link.close();
  await bucket?.server.stop();
  [workspace, bucket, written] = [undefined, undefined, undefined];
});
afterAll(async () => {
  await server?.stop();
});

const missing = redis.missing ?? versitygwMissing();
const why = missing === undefined ? "" : ` (skipped: ${missing})`;
describe.skipIf(missing !== undefined)(`pause of active transfers by two workers${why}`, () => {
  test.each(["local", "s3"] as const)(
    "to %s stops within two seconds; resume goes on from what was finished",
    async (target) => {
      const at = await start(target);
      await at.workspace.ok("apply", "--yes", "--no-wait", "--override", "objects");
      const api = await findController(join(at.workspace.path, ".thermocline", "controller.json"));
      const id = (await api?.runs())?.[0]?.id ?? "";
      const pauses: Pause[] = [];
      do {
        if (pauses.length > 0) await at.workspace.ok("resume", id, "--no-wait");
        const before = at.sent();
        await until(() => at.sent() > before + fileBytes, 120_000);
        const pause = stopsAfter(at.sent, async () => {
          await api?.control({ verb: "pause", scope: "run", name: id, reason: "a test" });
        });
        pauses.push(await pause);
        // Other work on this machine may hold up some of them, never all.
      } while (pauses.length < 3 && (pauses.at(-1)?.lastByteMs ?? 0) > pauseWithinMs);
      const last = pauses.at(-1);
      expect(last?.lastByteMs).toBeLessThanOrEqual(pauseWithinMs);
      expect(await api?.run(id)).toMatchObject({ state: "paused" });

      await at.workspace.ok("resume", id);
      const progress = { done: files, failed: 0, remaining: 0 };
      expect(await api?.run(id)).toMatchObject({ state: "completed", progress });
      const again = at.sent() - files * fileBytes;
      console.info(
        `pause to ${target}: last byte ${pauses.map(({ lastByteMs }) => lastByteMs).join(", ")} ` +
          `ms after the call; sent again ${(again / MiB).toFixed(1)} MiB of ` +
          `${(files * fileBytes) / MiB} MiB`,
      );
      // What was finished is not sent again: at most what was under way, two by each worker.
      expect(again).toBeLessThan((4 * pauses.length + 1) * fileBytes);
    },
    300_000,
  );
});

interface Started {
  readonly workspace: Workspace;
  /** Bytes that went to the target so far, those of transfers that were cut off included. */
  readonly sent: () => number;
}

async function start(target: "local" | "s3"): Promise<Started> {
  if (server === undefined) throw new Error("no queue server");
  const policies = { all: policyTo(target === "s3" ? "far" : "cold") };
  workspace = await Workspace.create({ policies, queueUrl: server.url });
  const limits = "limits: {bandwidth: 24M, concurrency: 4, perNode: 2}";
  if (target === "s3") {
    const s3 = await startVersitygw();
    bucket = { server: s3, link: await TcpProxy.open(() => Number(new URL(s3.endpoint).port)) };
    const endpoint = `http://127.0.0.1:${bucket.link.port}`;
    await addFarBackend(workspace, s3, { endpoint, fields: limits });
  } else {
    const file = join(workspace.path, "thermocline.yaml");
    const config = await readFile(file, "utf8");
    await writeFile(file, config.replace("name: cold,", `name: cold, ${limits},`));
  }
  const source = join(workspace.path, "content");
  await mkdir(source);
  for (let number = 0; number < files; number += 1) {
    await writeFile(join(source, `${number}.bin`), randomBytes(fileBytes));
  }
  await workspace.startController();
  for (const name of ["worker-1", "worker-2"]) workspace.start("worker", "--node-name", name);
  await workspace.ok("import", "dir", source, "--backend", "hot");
  const { link } = bucket ?? {};
  const seen = new Written(workspace.storage("cold"));
  written = seen;
  const before = link?.bytesSent ?? 0;
  const sent = () => (link === undefined ? seen.bytes() : link.bytesSent - before);
  return { workspace, sent };
}

function policyTo(backend: string): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: all}
rules:
  - name: copy
    where: size > 0
    ensure: {copies: 1, on: backend = "${backend}"}
`;
}

interface Pause {
  /** From the call to the last byte. */
  readonly lastByteMs: number;
}

/** Calls `stop` and watches until nothing more is sent. */
async function stopsAfter(sent: () => number, stop: () => Promise<void>): Promise<Pause> {
  const calledAt = performance.now();
  const stopping = stop();
  let [lastAt, bytes] = [calledAt, sent()];
  while (performance.now() - Math.max(lastAt, calledAt) < pauseWithinMs + 1_000) {
    const now = sent();
    if (now > bytes + noiseBytes) [lastAt, bytes] = [performance.now(), now];
    await sleep(25);
  }
  await stopping;
  return { lastByteMs: Math.round(lastAt - calledAt) };
}

/** Bytes written below a folder, also to files that are gone by now. */
class Written {
  readonly #folder: string;
  readonly #sizes = new Map<string, number>();

  readonly #watching: Promise<void>;
  #isOver = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#watching = this.#watch();
  }

  bytes(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const options = { recursive: true, withFileTypes: true } as const;
      const entries = await readdir(this.#folder, options).catch(() => []);
      for (const entry of entries) {
        const path = join(entry.parentPath, entry.name);
        const facts = entry.isFile() ? await stat(path).catch(() => undefined) : undefined;
        if (facts === undefined) continue;
        // A file that was given its final name is the same file.
        const key = `${facts.ino} ${facts.birthtimeMs}`;
        this.#sizes.set(key, Math.max(facts.size, this.#sizes.get(key) ?? 0));
      }
      await sleep(20);
    }
  }
}
