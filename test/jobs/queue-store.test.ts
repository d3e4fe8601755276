import { fork } from "node:child_process";
import { once } from "node:events";
import { access, chmod, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openEmbeddedPostgres } from "#jobs/embedded-postgres.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import { hidePassword } from "#jobs/queue-store.ts";
import type { EngineError } from "#model/engine-error.ts";
import { isServerProcess } from "#jobs/server-process.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { openFolder, queueServers } from "../conformance/queue-servers.ts";

describe.for(queueServers)("a queue store on $name", ({ missing, start }) => {
  test.skipIf(missing !== undefined)("runs a job and closes without a rest", async () => {
    const server = await start();
    const errors: unknown[] = [];
    const store = await openQueueStore({ url: server.url, onError: (error) => errors.push(error) });
    const done = Promise.withResolvers<unknown>();
    store
      .worker<{ n: number }, number>("lane-a", async (job) => job.data.n * 2, {})
      .on("completed", (_job, result) => done.resolve(result));
    await store.queue("lane-a").add("double", { n: 21 });
    expect(await done.promise).toBe(42);
    await store.close();
    await server.stop();
    expect(errors).toEqual([]);
  });

  test.skipIf(missing !== undefined)("keeps namespaces apart", async () => {
    const server = await start();
    const one = await openQueueStore({ url: server.url, namespace: "one" });
    const two = await openQueueStore({ url: server.url, namespace: "two" });
    await one.queue("index").add("x", {});
    expect(await one.queue("index").getWaitingCount()).toBe(1);
    expect(await two.queue("index").getWaitingCount()).toBe(0);
    await one.close();
    await two.close();
    await server.stop();
  });
  if (missing !== undefined) console.info(`skipped: ${missing}`);
});

describe("openQueueStore", () => {
  test.for(["redis", "postgres"])(
    "says soon that nothing answers at a %s URL, without its password",
    async (scheme) => {
      const port = await freePort();
      const error = await openQueueStore({
        url: `${scheme}://user:hunter2@127.0.0.1:${port}/0`,
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "UNAVAILABLE" });
      expect(String(error)).toContain(`${scheme}://user:***@127.0.0.1:${port}`);
      expect(String(error)).not.toContain("hunter2");
    },
  );

  test("refuses a URL of another kind and hides what may be secret in it", async () => {
    const error = await openQueueStore({ url: "amqp://me:hunter2@host" }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "USAGE" });
    expect(String(error)).not.toContain("hunter2");
    expect(hidePassword("not a url://me:hunter2@host")).not.toContain("hunter2");
  });
});

describe("the embedded PostgreSQL", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await openFolder();
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("keeps its password to its owner and stops with the one who started it", async () => {
    const owner = await openEmbeddedPostgres(folder);
    const guest = await openEmbeddedPostgres(folder);
    expect(guest.pid).toBe(owner.pid);
    expect((await stat(join(folder, "cluster", "password"))).mode & 0o777).toBe(0o600);
    await guest.close();
    expect(await isServerProcess(owner.pid)).toBe(true);
    await owner.close();
    expect(await isServerProcess(owner.pid)).toBe(false);
  });

  test("opened by three at once is one server", async () => {
    const opened = await Promise.all([1, 2, 3].map(() => openEmbeddedPostgres(folder)));
    expect(new Set(opened.map((server) => server.pid)).size).toBe(1);
    for (const server of opened) await server.close();
    expect(await isServerProcess(opened[0]?.pid ?? 0)).toBe(false);
  });

  test("that outlived its killed owner is adopted with its jobs, and then stopped", async () => {
    const child = fork(new URL("fixtures/hold-queue-store.ts", import.meta.url), [folder]);
    const [pid] = (await once(child, "message")) as [number];
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await isServerProcess(pid)).toBe(true);
    await sleep(100);
    const store = await openQueueStore({ embedded: { directory: folder } });
    expect(await store.queue("index").getWaitingCount()).toBe(1);
    await store.close();
    expect(await isServerProcess(pid)).toBe(false);
  });

  test("starts again after its server was killed and left its lock file", async () => {
    const first = await openEmbeddedPostgres(folder);
    process.kill(first.pid, "SIGKILL");
    await first.close();
    await access(join(folder, "cluster", "data", "postmaster.pid"));
    const second = await openEmbeddedPostgres(folder);
    expect(second.pid).not.toBe(first.pid);
    await second.close();
  });

  test("that is still shutting down is waited for, and told of, and then another starts", async () => {
    const owner = await openEmbeddedPostgres(folder);
    const last = owner.pid;
    // PostgreSQL's smart shutdown waits for whoever is connected: it lasts until the owner leaves.
    process.kill(last, "SIGTERM");
    const answer = async () => {
      const client = new Client({ connectionString: owner.url });
      client.on("error", () => undefined);
      const said = await client.connect().then(
        () => "it connected",
        (error: unknown) => String(error),
      );
      await client.end().catch(() => undefined);
      return said;
    };
    await expect.poll(answer, { timeout: 60_000, interval: 50 }).toContain("shutting down");
    const refused = await openEmbeddedPostgres(folder, { patienceMs: 0 }).catch((e: unknown) => e);
    expect(refused).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("the database system is shutting down"),
      hint: expect.stringContaining(`kill -QUIT ${last}`),
    });
    const signal = AbortSignal.abort();
    await expect(openEmbeddedPostgres(folder, { signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    const told: EngineError[] = [];
    const opening = openEmbeddedPostgres(folder, { onWait: (error) => told.push(error) });
    await expect.poll(() => told.length, { timeout: 60_000, interval: 50 }).toBe(1);
    expect(told[0]?.message).toMatch(/^waiting for the embedded PostgreSQL in .*, up to 2m: /);
    await owner.close();
    const next = await opening;
    expect(next.pid).not.toBe(last);
    expect(await isServerProcess(next.pid)).toBe(true);
    await next.close();
    expect(await isServerProcess(next.pid)).toBe(false);
  });

  test("opened while its last user leaves it, serves the one who comes", async () => {
    const owner = await openEmbeddedPostgres(folder);
    const closing = owner.close();
    const store = await openQueueStore({ embedded: { directory: folder } });
    await closing;
    await store.queue("index").add("next", {});
    expect(await store.queue("index").getWaitingCount()).toBe(1);
    await store.close();
  });

  test("killed under those who use it, comes back at the same address, once", async () => {
    const store = await openQueueStore({ embedded: { directory: folder } });
    const guests = await Promise.all([1, 2].map(() => openEmbeddedPostgres(folder)));
    const killed = guests[0]?.pid ?? 0;
    process.kill(killed, "SIGKILL");
    const pids = () => new Set(guests.map((guest) => guest.pid));
    await expect
      .poll(() => pids().size === 1 && !pids().has(killed), { timeout: 120_000, interval: 50 })
      .toBe(true);
    const answers = () =>
      store
        .queue("index")
        .add("after", {})
        .then(
          () => true,
          () => false,
        );
    await expect.poll(answers, { timeout: 120_000 }).toBe(true);
    for (const guest of guests) await guest.close();
    await store.close();
    expect(await isServerProcess(guests[0]?.pid ?? 0)).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "started by root in a folder closed to others, finds a place that its user can enter",
    async () => {
      await chmod(folder, 0o700);
      const server = await openEmbeddedPostgres(folder);
      const again = await openEmbeddedPostgres(folder);
      expect(again.pid).toBe(server.pid);
      expect(server.directory.startsWith(folder)).toBe(false);
      await again.close();
      await server.close();
      await rm(server.directory, { recursive: true });
    },
  );

  test("is not fooled by a lock file whose process id is somebody else's now", async () => {
    await (await openEmbeddedPostgres(folder)).close();
    const lock = join(folder, "cluster", "data", "postmaster.pid");
    await writeFile(lock, `${process.pid}\n${folder}\n0\n1\n`);
    const server = await openEmbeddedPostgres(folder);
    expect(server.pid).not.toBe(process.pid);
    await server.close();
  });
});
