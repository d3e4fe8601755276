import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import { bodyFor, permit, sample } from "../conformance/sample-object.ts";
import { playAnswers, type PlayedService } from "../services/played-service.ts";

// contract-fixtures: answers as the REST API of IPFS Cluster v1.1.6 gives them, which real peers
// do not give on request, are played to the real client.
describe("an IPFS Cluster that answers with an error", () => {
  let service: PlayedService;
  let driver: Driver;
  const opened: Driver[] = [];
  const { object } = sample(10);

  async function open(patience: Readonly<Record<string, string>> = {}): Promise<void> {
    driver = await ipfsCluster.open({
      backend: "cluster",
      options: ipfsCluster.options.parse({
        url: `${service.url}/some/path/`,
        token: "env:TOKEN",
        ...patience,
      }),
      capacityBytes: undefined,
      secret: () => Promise.resolve("the-token"),
    });
    opened.push(driver);
  }

  beforeEach(async () => {
    service = await playAnswers();
    await open();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await service.stop();
  });

  const cases = [
    [429, { code: "RATE_LIMITED", retryable: true, retryAfterMs: 7_000 }],
    [500, { code: "UNAVAILABLE", retryable: true }],
    [502, { code: "UNAVAILABLE", retryable: true }],
    [503, { code: "UNAVAILABLE", retryable: true, retryAfterMs: 7_000 }],
    [504, { code: "TIMEOUT", retryable: true }],
    [401, { code: "UNAUTHENTICATED", retryable: false }],
    [403, { code: "FORBIDDEN", retryable: false }],
    [404, { code: "UNAVAILABLE", retryable: false }],
    [400, { code: "NOT_SUPPORTED", retryable: false }],
    [307, { code: "INVALID_DOCUMENT", retryable: false }],
    [507, { code: "NO_SPACE", retryable: false }],
  ] as const;

  for (const [status, expected] of cases) {
    it(`${status} is ${expected.code}, and never an absent copy`, async () => {
      const body = JSON.stringify({ code: status, message: "as the peer says" });
      service.answer(() => ({ status, headers: { "Retry-After": "7" }, body }));
      for (const attempt of [
        () => driver.status(),
        () => driver.stat(object),
        () => driver.verify(object, "listed"),
        () => driver.remove(object, permit(object, "cluster")),
        () => Array.fromAsync(driver.list()),
      ]) {
        await expect(attempt()).rejects.toMatchObject(expected);
      }
      expect(service.asked[0]).toMatchObject({ authorization: "Bearer the-token" });
      expect(service.asked[0]?.path).toBe("/some/path/version");
    });
  }

  it("what is no cluster at all never looks like an empty one", async () => {
    const body = "<html><body>It works!</body></html>";
    for (const status of [200, 404]) {
      service.answer(() => ({ status, headers: { "Content-Type": "text/html" }, body }));
      for (const attempt of [
        () => driver.stat(object),
        () => driver.remove(object, permit(object, "cluster")),
        () => Array.fromAsync(driver.list()),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      }
    }
  });

  it("an error that comes after a list has begun is an error, never the end of the list", async () => {
    const pin = JSON.stringify({ cid: object.cid, type: "pin", metadata: null });
    service.answer(({ path }) =>
      path.includes("/allocations")
        ? { status: 200, body: `${pin}\n`, trailers: { "X-Stream-Error": "peer went away" } }
        : { status: 200, body: standing("pinned") },
    );
    const listing = Array.fromAsync(driver.list());
    await expect(listing).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("peer went away") as string,
    });
  });

  it("a list that breaks off, or in the midst of a line, is an error", async () => {
    const pin = JSON.stringify({ cid: object.cid, type: "pin" });
    for (const body of [`${pin}\n`, pin.slice(0, 20)]) {
      service.answer(() => ({ status: 200, body, breaksOff: true }));
      const failure = { code: "UNAVAILABLE", retryable: true };
      await expect(Array.fromAsync(driver.list())).rejects.toMatchObject(failure);
    }
  });

  it("a pinset in another order is refused, since going on within it would leave pins out", async () => {
    const cids = [1, 2, 3, 4].map((seed) => sample(10, seed).object.cid);
    const lines = [...cids, ...cids].map((cid) => JSON.stringify({ cid, type: "pin" }));
    service.answer(() => ({ status: 200, body: lines.join("\n") }));
    await expect(Array.fromAsync(driver.list())).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
  });

  it("a peer that says nothing for too long is TIMEOUT", async () => {
    await open({ timeout: "300ms" });
    service.answer(() => ({ status: 200, body: "", hangs: true }));
    await expect(driver.stat(object)).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
  });

  it("a root that is not that of the object is CORRUPT, and never pinned", async () => {
    const other = sample(11).object.cid;
    service.answer(({ path }) => {
      if (path.includes("/allocations")) return absent;
      return { status: 200, body: JSON.stringify([{ cid: other, allocations: ["one"] }]) };
    });
    const stored = sample(10);
    const writing = driver.write(stored.object, bodyFor(driver, stored));
    await expect(writing).rejects.toMatchObject({ code: "CORRUPT" });
    expect(service.asked.filter(({ path }) => path.includes("/pins/"))).toEqual([]);
  });

  it("a pin that takes long has its step come back, and no body is sent a second time", async () => {
    await open({ pinTimeout: "100ms" });
    let pinned = false;
    service.answer(({ method, path }) => {
      if (path.includes("/allocations")) return pinned ? wanted : absent;
      if (path.includes("/add")) {
        return { status: 200, body: JSON.stringify([{ cid: object.cid, allocations: ["one"] }]) };
      }
      pinned ||= method === "POST";
      return method === "POST" ? wanted : { status: 200, body: standing("pinning") };
    });
    const stored = sample(10);
    const writing = driver.write(stored.object, bodyFor(driver, stored));
    await expect(writing).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: false,
      retryAfterMs: 15_000,
      details: { wait: "pin" },
      message: expect.stringContaining("pinned at 0 of 1 peers; node-1: pinning") as string,
    });
    const added = service.asked.find(({ path }) => path.includes("/add?"));
    expect(added?.path).toContain("format=car");
  });

  it("a pin that fails at its peers is told to try again once, and then is an error", async () => {
    service.answer(({ path, method }) => {
      if (path.includes("/allocations") || (method === "POST" && !path.includes("/add"))) {
        return path.includes("/recover") ? { status: 200, body: standing("pin_error") } : wanted;
      }
      if (path.includes("/add")) {
        return { status: 200, body: JSON.stringify([{ cid: object.cid, allocations: [] }]) };
      }
      return { status: 200, body: standing("pin_error") };
    });
    const stored = sample(10);
    const writing = driver.write(stored.object, bodyFor(driver, stored));
    await expect(writing).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("node-1: pin_error (context deadline)") as string,
    });
    expect(service.asked.filter(({ path }) => path.endsWith("/recover"))).toHaveLength(1);
  });

  it("a pin that a peer has not come to yet is waited for after it was told to try again", async () => {
    let looks = 0;
    service.answer(({ path, method }) => {
      if (path.includes("/add")) {
        return { status: 200, body: JSON.stringify([{ cid: object.cid, allocations: [] }]) };
      }
      if (path.includes("/recover"))
        return { status: 200, body: standing("unexpectedly_unpinned") };
      if (path.includes("/allocations") || method === "POST") return wanted;
      looks += 1;
      return { status: 200, body: standing(looks < 4 ? "unexpectedly_unpinned" : "pinned") };
    });
    const stored = sample(10);
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(looks).toBeGreaterThanOrEqual(4);
    expect(service.asked.filter(({ path }) => path.endsWith("/recover"))).toHaveLength(1);
  });

  const one = { id: "one", peername: "node-1", error: "", ipfs: { id: "k1" } };
  const two = { id: "two", peername: "node-2", error: "", ipfs: { id: "k2" } };
  const ping = { name: "ping", peer: "three", value: '{"ipfs_id":"k3"}' };
  const names = ["peer one", "node k1", "peer two", "node k2"];
  const silent = {
    code: "UNAVAILABLE",
    message: expect.stringContaining("peer three was silent for long") as string,
    hint: expect.stringContaining("restart the cluster service") as string,
  };

  /** Who is listed, and which alerts there are. */
  function tells(peers: readonly object[], alerts: readonly object[] | null): void {
    const lines = peers.map((peer) => JSON.stringify(peer)).join("\n");
    service.answer(({ path }) => ({
      status: 200,
      body: path.endsWith("/health/alerts") ? JSON.stringify(alerts) : lines,
    }));
  }

  it("tells only of the first peer that was silent: others may be lost that nobody names", async () => {
    const space = { name: "freespace", peer: "two", value: "1" };
    tells([one, two], null);
    expect(await driver.identity?.names()).toEqual(names);
    tells([one, two], [space]);
    expect(await driver.identity?.names()).toEqual(names);
    // A first one came back, a second one was lost since, or all are there: nobody can tell.
    for (const listed of [[one], [one, two], [one, two, { ...one, id: "three" }]]) {
      tells(listed, [space, ping]);
      await expect(driver.identity?.names()).rejects.toMatchObject(silent);
      await open();
      await expect(driver.identity?.names()).rejects.toMatchObject(silent);
    }
  });

  it("has all nodes that a peer had last, and none said by a peer that is lost is not none", async () => {
    tells([one, two], []);
    await driver.identity?.names();
    tells([one], []);
    expect(await driver.identity?.names()).toEqual(names);
    tells([one, { ...two, ipfs: { id: "k4" } }], []);
    const moved = ["peer one", "node k1", "peer two", "node k4"];
    expect(await driver.identity?.names()).toEqual(moved);
    const mute = { ...one, id: "three", peername: "node-3", ipfs: { id: "" } };
    tells([one, two, mute], []);
    const said = expect.stringContaining("node-3 does not say which IPFS node") as string;
    await expect(driver.identity?.names()).rejects.toMatchObject({ message: said });
    tells([one, two], []);
    await expect(driver.identity?.names()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("peer three is no longer there") as string,
    });
    tells([one, two, { ...mute, ipfs: { id: "k3" } }], []);
    expect(await driver.identity?.names()).toEqual([...names, "peer three", "node k3"]);
  });

  it("that does not tell its alerts says nothing of itself", async () => {
    service.answer(({ path }) =>
      path.endsWith("/health/alerts")
        ? { status: 404, body: JSON.stringify({ code: 404, message: "not found" }) }
        : { status: 200, body: JSON.stringify(one) },
    );
    await expect(driver.identity?.names()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  // The statuses of api/types.go in v1.1.6.
  const statuses = {
    present: ["pinned"],
    absent: ["pinning", "pin_queued", "pin_error", "unpinned", "unexpectedly_unpinned", "remote"],
    unknown: ["cluster_error", "undefined"],
    refused: ["sharded"],
  } as const;

  for (const status of statuses.present) {
    it(`${status} is a copy`, async () => {
      service.answer(() => ({ status: 200, body: standing(status) }));
      expect(await driver.stat(object)).toMatchObject({ form: "dag", bytes: 10 });
    });
  }
  for (const status of statuses.absent) {
    it(`${status} is no copy`, async () => {
      service.answer(() => ({ status: 200, body: standing(status) }));
      expect(await driver.stat(object)).toBeUndefined();
    });
  }
  for (const status of statuses.unknown) {
    it(`${status} says nothing, and is no absence`, async () => {
      service.answer(() => ({ status: 200, body: standing(status) }));
      await expect(driver.stat(object)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    });
  }
  for (const status of statuses.refused) {
    it(`${status} is not read yet, and says so`, async () => {
      service.answer(() => ({ status: 200, body: standing(status) }));
      await expect(driver.stat(object)).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    });
  }

  const wanted = {
    status: 200,
    body: JSON.stringify({ cid: object.cid, type: "pin", replication_factor_min: 1 }),
  };
  const absent = {
    status: 404,
    body: JSON.stringify({ code: 404, message: "pin is not part of the pinset" }),
  };

  function standing(status: string): string {
    const error = status === "pin_error" ? "context deadline" : "";
    const peer = { peername: "node-1", ipfs_peer_id: "12D3", status, error };
    const metadata = { "thermocline-bytes": "10" };
    return JSON.stringify({ cid: object.cid, metadata, peer_map: { one: peer } });
  }
});
