import { afterEach, describe, expect, test } from "vitest";
import { checkQueueServer } from "#jobs/checks/check-queue-server.ts";
import type { Check } from "#model/check.ts";
import { pgbouncerMissing, startPgbouncer, startPostgres } from "../services/postgres.ts";
import { redisMissing, startRedis } from "../services/redis.ts";

const needs = { namespace: "thermocline", lanes: 4, clockSkewMs: 90_000 };
const now = () => new Date();
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function started<Server extends { readonly url: string; stop(): Promise<void> }>(
  starting: Promise<Server>,
): Promise<Server> {
  const server = await starting;
  stops.push(() => server.stop());
  return server;
}

/** States by check; what is not ok must say why it matters and what to do. */
function statesOf(checks: readonly Check[]): Readonly<Record<string, string>> {
  const silent = checks.filter(({ state, why, hint }) => state !== "ok" && !(why && hint));
  expect(silent).toEqual([]);
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
}

async function check(...settings: string[]): Promise<readonly Check[]> {
  const { url } = await started(startRedis(settings));
  return checkQueueServer({ url }, needs, now);
}

const noRedis = redisMissing();
describe.skipIf(noRedis !== undefined)(
  `doctor and Redis${noRedis ? ` (skipped: ${noRedis})` : ""}`,
  () => {
    test("finds nothing at a server that keeps what it is told", async () => {
      const states = statesOf(await check("--appendonly", "yes"));
      expect(new Set(Object.values(states))).toEqual(new Set(["ok"]));
      expect(Object.keys(states)).toEqual([
        "queue",
        "queue version",
        "queue role",
        "queue persistence",
        "queue eviction",
        "queue cluster",
        "queue clients",
        "queue clock",
      ]);
    });

    test("warns of a server that forgets, fails one that throws jobs away", async () => {
      const checks = await check("--maxmemory-policy", "allkeys-lru");
      expect(statesOf(checks)).toMatchObject({
        "queue persistence": "warn",
        "queue eviction": "failed",
      });
      expect(checks.find(({ name }) => name === "queue eviction")?.message).toContain(
        "allkeys-lru",
      );
    });

    test("warns of a cluster, of few clients left, and of a configuration it may not read", async () => {
      const checks = await check(
        "--cluster-enabled",
        "yes",
        "--maxclients",
        "1",
        "--rename-command",
        "CONFIG",
        "",
      );
      expect(statesOf(checks)).toMatchObject({
        "queue cluster": "warn",
        "queue clients": "warn",
        "queue persistence": "warn",
      });
    });

    test("fails a replica", async () => {
      const checks = await check("--replicaof", "127.0.0.1", "1");
      expect(statesOf(checks)).toMatchObject({ "queue role": "failed" });
    });

    test.each([
      [10_000, "warn", "behind"],
      [-90_000, "failed", "ahead of"],
    ])("sees clocks that are %i ms apart", async (skewMs, state, direction) => {
      const { url } = await started(startRedis());
      const skewed = () => new Date(Date.now() + skewMs);
      const checks = await checkQueueServer({ url }, needs, skewed);
      const clock = checks.find(({ name }) => name === "queue clock");
      expect(clock?.state).toBe(state);
      expect(clock?.message).toContain(direction);
    });

    test("says that nobody answers, without the password", async () => {
      const url = "redis://user:hidden@127.0.0.1:1";
      const checking = checkQueueServer({ url }, needs, now);
      await expect(checking).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(checking).rejects.not.toThrow(/hidden/);
    });
  },
);

describe("doctor and PostgreSQL", () => {
  test("finds nothing at a server with room", async () => {
    const { url } = await started(startPostgres());
    const states = statesOf(await checkQueueServer({ url }, needs, now));
    expect(new Set(Object.values(states))).toEqual(new Set(["ok"]));
    expect(Object.keys(states)).toEqual([
      "queue",
      "queue version",
      "queue pooling",
      "queue connections",
      "queue durability",
      "queue schema",
      "queue clock",
    ]);
  });

  test("fails a server with fewer connections than the lanes need, and warns of a broken disk promise", async () => {
    const { url } = await started(startPostgres({ max_connections: "10", fsync: "off" }));
    const checks = await checkQueueServer({ url }, needs, now);
    expect(statesOf(checks)).toMatchObject({
      "queue connections": "failed",
      "queue durability": "warn",
    });
    const connections = checks.find(({ name }) => name === "queue connections");
    expect(connections?.message).toMatch(/of 10 in use; 4 lanes need 17 .* and 12 for each worker/);
  });

  test("fails a user who may not make the schema", async () => {
    const { url } = await started(startPostgres());
    const { Client } = await import("pg");
    const owner = new Client({ connectionString: url });
    await owner.connect();
    await owner.query("CREATE USER guest PASSWORD 'guest'");
    await owner.end();
    const guest = new URL(url);
    [guest.username, guest.password] = ["guest", "guest"];
    const checks = await checkQueueServer({ url: guest.href }, needs, now);
    expect(statesOf(checks)).toMatchObject({ "queue schema": "failed" });
  });

  const noBouncer = pgbouncerMissing();
  describe.skipIf(noBouncer !== undefined)(
    `behind PgBouncer${noBouncer ? ` (skipped: ${noBouncer})` : ""}`,
    () => {
      test.each([
        ["session", "ok"],
        ["transaction", "failed"],
        ["statement", "failed"],
      ])("in pool mode %s the sessions are %s", async (mode, state) => {
        const server = await started(startPostgres());
        const pooler = await started(
          startPgbouncer(server, [`pool_mode = ${mode}`, "ignore_startup_parameters = options"]),
        );
        const checks = await checkQueueServer({ url: pooler.url }, needs, now);
        expect(statesOf(checks)).toMatchObject({ "queue pooling": state });
      });

      test("a pooler that lets no settings through is named as the reason", async () => {
        const server = await started(startPostgres());
        const pooler = await started(startPgbouncer(server, ["pool_mode = transaction"]));
        const checks = await checkQueueServer({ url: pooler.url }, needs, now);
        expect(statesOf(checks)).toMatchObject({ "queue pooling": "failed" });
        expect(checks.at(-1)?.message).toContain("connection pooler");
      });
    },
  );

  test("finds nothing at the embedded server, which it starts and stops", async () => {
    const { openFolder } = await import("../conformance/queue-servers.ts");
    const { rm } = await import("node:fs/promises");
    const directory = await openFolder();
    const checks = await checkQueueServer({ embedded: { directory } }, needs, now);
    await rm(directory, { recursive: true, force: true });
    expect(new Set(Object.values(statesOf(checks)))).toEqual(new Set(["ok"]));
  });
});
