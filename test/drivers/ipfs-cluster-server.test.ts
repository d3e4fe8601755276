import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { convertForm } from "#content/convert-form.ts";
import type { ByteStream, Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import {
  bodyFor,
  collect,
  fileFrom,
  permit,
  pieces,
  sample,
} from "../conformance/sample-object.ts";
import { clusterMissing, startCluster, type TwoPeerCluster } from "../services/ipfs-cluster.ts";
import { watchServer } from "../services/watched-server.ts";
import { clusterOptionsFor, emptyPinset } from "./cluster-place.ts";
import { blockFiles, pinsOf } from "./kubo-place.ts";

const missing = clusterMissing();
if (missing !== undefined) console.error(`skipped: ipfs-cluster against peers: ${missing}`);

describe.skipIf(missing !== undefined)("ipfs-cluster against two peers v1.1.6", () => {
  let cluster: TwoPeerCluster;
  /** What a new node pins by itself. */
  let nodesOwn: readonly string[];
  const opened: Driver[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    nodesOwn = await pinsOf(cluster.peers[0].node);
  });
  afterAll(async () => {
    await cluster.stop();
  });
  beforeEach(async () => {
    await emptyPinset(cluster);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(
    changed: Readonly<Record<string, unknown>> = {},
    secret = cluster.password,
  ): Promise<Driver> {
    const driver = await ipfsCluster.open({
      backend: "cluster",
      options: ipfsCluster.options.parse(clusterOptionsFor(cluster, changed)),
      capacityBytes: undefined,
      secret: () => Promise.resolve(secret),
    });
    opened.push(driver);
    return driver;
  }

  const unread: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("nothing may be read")),
    }),
  };

  it("names the version that answered and its peers, and says what is free", async () => {
    const status = await (await open()).status();
    expect(status.server).toMatch(/^IPFS Cluster 1\.1\.6.*, 2 peers$/);
    expect(status.freeBytes).toBeGreaterThan(0);
  });

  it("pins with name and metadata, at the peers whose tags are asked for", async () => {
    const one = { replicationMin: 1, replicationMax: 1, name: "ours", metadata: { owner: "ops" } };
    for (const [group, position] of [
      ["rack-1", 0],
      ["rack-2", 1],
    ] as const) {
      const driver = await open({ ...one, allocateByTags: { group } });
      const stored = sample(3_000, position + 1);
      const copy = await driver.write(stored.object, bodyFor(driver, stored));
      const path = `/allocations/${stored.object.cid}`;
      expect(JSON.parse(await cluster.ask("GET", path))).toMatchObject({
        name: "ours",
        metadata: { owner: "ops" },
        allocations: [cluster.peers[position].id],
      });
      expect(await driver.verify(stored.object, "verified")).toMatchObject({
        finding: "present",
        method: expect.stringMatching(/on the node at .*; pinned at 1 of 1 peers/) as string,
      });
      expect(copy.bytes).toBe(3_000);
    }
    const nowhere = await open({ ...one, allocateByTags: { group: "rack-9" } });
    const stored = sample(10, 9);
    const writing = nowhere.write(stored.object, bodyFor(nowhere, stored));
    await expect(writing).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("lists pins by the names that people gave them, and those of no name by none", async () => {
    const driver = await open({ name: "Fotos/Größe 👵" });
    const [named, plain] = [sample(300, 1), sample(300, 2)];
    await driver.write(named.object, bodyFor(driver, named));
    const other = await open();
    await other.write(plain.object, bodyFor(other, plain));
    const listed = await Array.fromAsync(other.list());
    const names = new Map(listed.map(({ cid, name }) => [cid, name]));
    expect(names.get(named.object.cid)).toBe("Fotos/Größe 👵");
    expect(names.get(plain.object.cid)).toBeUndefined();
  });

  it("without a node to read from it takes content, and says that it cannot prove it", async () => {
    const options = { rpc: [] };
    const driver = await open(options);
    const parsed = ipfsCluster.options.parse(clusterOptionsFor(cluster, options));
    expect(driver.capabilities).toEqual(ipfsCluster.capabilitiesOf(parsed));
    expect(driver.capabilities.confidence).toEqual(["listed"]);
    expect(driver.capabilities.operations).not.toContain("read");
    const stored = sample(2_000);
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.verify(stored.object, "listed")).toMatchObject({
      finding: "present",
      confidence: "listed",
      method: "pinned at 2 of 2 peers",
      bytesRead: 0,
    });
    const refused = { code: "NOT_SUPPORTED" };
    await expect(driver.verify(stored.object, "verified")).rejects.toMatchObject(refused);
    await expect(driver.read(stored.object, copy)).rejects.toMatchObject(refused);
  });

  it("reads and verifies through a gateway of its nodes", async () => {
    const gateway = await readFile(join(cluster.peers[0].node.repo, "gateway"), "utf8");
    const driver = await open({ rpc: [], gateway });
    const stored = sample(1024 * 1024 + 5);
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    expect((await fileFrom(driver, stored, copy)).equals(stored.bytes)).toBe(true);
    expect(await driver.verify(stored.object, "verified")).toMatchObject({
      finding: "present",
      method: expect.stringContaining(`through the gateway ${gateway}`) as string,
    });
  });

  it("has each peer's node drop what no pin needs, and tells of a node that does not", async () => {
    const driver = await open();
    const [kept, gone] = [sample(3_000, 41), sample(1_500_000, 42)];
    for (const stored of [kept, gone]) await driver.write(stored.object, bodyFor(driver, stored));
    await driver.remove(gone.object, permit(gone.object, "cluster"));
    // Each peer hears of it in its own time, and then tells its node.
    for (const { node } of cluster.peers) {
      const pinned = async () => (await pinsOf(node)).filter((cid) => !nodesOwn.includes(cid));
      await expect.poll(pinned, { timeout: 120_000 }).toEqual([kept.object.cid]);
    }
    const steps = await Array.fromAsync(driver.collectGarbage?.() ?? []);
    const last = steps.at(-1);
    const names = last?.nodes?.map(({ name }) => name).toSorted();
    expect(names).toEqual(cluster.peers.map(({ name }) => name));
    // Two leaves and their root, at both.
    for (const node of last?.nodes ?? []) expect(node.blocks).toBeGreaterThanOrEqual(3);
    expect(last?.blocks).toBe(last?.nodes?.reduce((sum, { blocks }) => sum + blocks, 0));
    const freed = (last?.usedBytesBefore ?? 0) - (last?.usedBytes ?? 0);
    expect(freed).toBeGreaterThan(2 * 1_400_000);
    expect(await driver.verify(kept.object, "verified")).toMatchObject({ finding: "present" });
    const unread = await open({ rpc: [] });
    const again = (await Array.fromAsync(unread.collectGarbage?.() ?? [])).at(-1);
    expect(again).toMatchObject({ blocks: 0, usedBytes: undefined, usedBytesBefore: undefined });
    expect(again?.nodes).toHaveLength(2);
    const [first, second] = cluster.peers;
    await second.node.kill();
    try {
      await expect(Array.fromAsync(unread.collectGarbage?.() ?? [])).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(
          new RegExp(`at 1 of 2 peers: .*${second.name} dropped 0 blocks, then: .*refused`),
        ) as string,
      });
      await expect(Array.fromAsync(unread.collectGarbage?.() ?? [])).rejects.toThrow(
        `${first.name} dropped 0 blocks`,
      );
    } finally {
      await second.node.startAgain();
    }
  });

  it("calls wrong credentials UNAUTHENTICATED in every operation, and never shows them", async () => {
    const driver = await open({}, "not-the-secret");
    const stored = sample(10);
    for (const attempt of [
      () => driver.status(),
      () => driver.stat(stored.object),
      () => driver.verify(stored.object, "verified"),
      () => driver.write(stored.object, bodyFor(driver, stored)),
      () => driver.remove(stored.object, permit(stored.object, "cluster")),
      () => Array.fromAsync(driver.list()),
    ]) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
      expect(String(error)).not.toContain("not-the-secret");
    }
  });

  it("takes a token that the cluster made instead of name and password, and no other", async () => {
    const { token } = JSON.parse(await cluster.ask("POST", "/token")) as { readonly token: string };
    const byToken = { username: undefined, password: undefined, token: "env:TOKEN" };
    const driver = await open(byToken, token);
    const stored = sample(700, 12);
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.stat(stored.object)).toMatchObject({ bytes: 700 });
    const forged = await open(byToken, `${token.slice(0, -4)}AAAA`);
    await expect(forged.status()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("a CAR that lacks its last block is CORRUPT, and nothing is pinned", async () => {
    const driver = await open();
    const stored = sample(2 * 1024 * 1024 + 7);
    const car = await collect(convertForm(pieces(stored.bytes), "file", "dag", stored.object));
    // The root is the last block, and short; a cut anywhere behind a leaf is a cut between blocks.
    const stream = pieces(car.subarray(0, 2 * 1024 * 1024));
    const writing = driver.write(stored.object, { form: "dag", bytes: undefined, stream });
    await expect(writing).rejects.toMatchObject({ code: "CORRUPT" });
    expect(await driver.stat(stored.object)).toBeUndefined();
    expect(await Array.fromAsync(driver.list())).toEqual([]);
  });

  it("a pin that one node lost is made whole again without sending the content", async () => {
    const driver = await open();
    const stored = sample(4_000);
    const { cid } = stored.object;
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    await cluster.peers[1].node.ask(`pin/rm?arg=${cid}`);
    const half = await driver.verify(stored.object, "listed");
    expect(half).toMatchObject({ finding: "present" });
    expect(half.method).toContain("pinned at 1 of 2 peers; peer-2: unexpectedly_unpinned");
    const body = { form: "dag", bytes: undefined, stream: unread } as const;
    expect(await driver.write(stored.object, body)).toEqual(copy);
    const whole = await driver.verify(stored.object, "listed");
    expect(whole.method).toBe("pinned at 2 of 2 peers");
  });

  it("lists more pins than it asks for at a time, each once and in one order", async () => {
    const driver = await open();
    const stored = Array.from({ length: 207 }, (_, seed) => sample(50, seed + 1));
    for (let from = 0; from < stored.length; from += 23) {
      const part = stored.slice(from, from + 23);
      await Promise.all(part.map((one) => driver.write(one.object, bodyFor(driver, one))));
    }
    const listed = (await Array.fromAsync(driver.list())).map(({ cid }) => cid);
    expect(listed.toSorted()).toEqual(stored.map(({ object }) => object.cid).toSorted());
    const rest = driver.list({ cursor: listed[203] ?? "" });
    expect((await Array.fromAsync(rest)).map(({ cid }) => cid)).toEqual(listed.slice(204));
  });

  it("an upload that broke off goes on: blocks that a node has are not sent again", async () => {
    const watched = await watchServer(cluster.peers[0].api);
    try {
      const driver = await open({ url: watched.endpoint });
      const stored = sample(24 * 1_048_576 + 5, 41);
      const nodes = cluster.peers.map(({ node }) => node);
      const before = await Promise.all(nodes.map(blockFiles));
      const whole = bodyFor(driver, stored);
      const breaking = (async function* (): ByteStream {
        let bytes = 0;
        for await (const piece of whole.stream) {
          if (bytes > 20 * 1_048_576) {
            // A failure drops what is still under way to the nodes.
            for (const [position, node] of nodes.entries()) {
              const had = before[position]?.length ?? 0;
              const haveCome = async () => (await blockFiles(node)).length - had >= 8;
              await vi.waitUntil(haveCome, { timeout: 30_000 });
            }
            throw new EngineError("UNAVAILABLE", "the source is out");
          }
          bytes += piece.length;
          yield piece;
        }
      })();
      const failing = driver.write(stored.object, { ...whole, stream: breaking });
      await expect(failing).rejects.toThrow("the source is out");
      watched.requests.splice(0);
      await driver.write(stored.object, bodyFor(driver, stored));
      const added = watched.requests.filter(({ url }) => url.startsWith("/add?"));
      expect(added).toHaveLength(1);
      expect(added[0]?.bytes).toBeLessThan(18 * 1_048_576);
      const evidence = await driver.verify(stored.object, "verified");
      expect(evidence).toMatchObject({ finding: "present", confidence: "verified" });
    } finally {
      await watched.stop();
    }
  });

  it("a peer that is away makes no copy lost, and takes no new ones", async () => {
    const [first, second] = cluster.peers;
    const both = await open({ rpc: [first.node.rpc] });
    const alone = await open({
      replicationMin: 1,
      replicationMax: 1,
      allocateByTags: { group: "rack-2" },
    });
    const [shared, single] = [sample(3_000, 1), sample(3_000, 2)];
    await both.write(shared.object, bodyFor(both, shared));
    await alone.write(single.object, bodyFor(alone, single));
    await second.kill();
    try {
      const evidence = await both.verify(shared.object, "verified");
      expect(evidence).toMatchObject({ finding: "present" });
      expect(evidence.method).toMatch(/pinned at 1 of 2 peers; .*: cluster_error/);
      const unknown = { code: "UNAVAILABLE", retryable: true };
      await expect(alone.stat(single.object)).rejects.toMatchObject(unknown);
      await expect(alone.verify(single.object, "listed")).rejects.toMatchObject(unknown);
      await expect(Array.fromAsync(alone.list())).rejects.toMatchObject(unknown);
    } finally {
      await second.startAgain();
    }
    await expect
      .poll(() => alone.stat(single.object).catch(() => undefined), { timeout: 120_000 })
      .toBeDefined();
  });
});
