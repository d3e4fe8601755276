import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ByteStream, Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import { bodyFor, sample } from "../conformance/sample-object.ts";
import { clusterMissing, startCluster, type TwoPeerCluster } from "../services/ipfs-cluster.ts";
import { clusterOptionsFor } from "./cluster-place.ts";

const missing = clusterMissing();
if (missing !== undefined) console.error(`skipped: ipfs-cluster with few peers: ${missing}`);

describe.skipIf(missing !== undefined)("a pin of a cluster that was made for fewer peers", () => {
  let cluster: TwoPeerCluster;
  const opened: Driver[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(async () => {
    for (const driver of opened) await driver.close();
    await cluster.stop();
  });

  async function open(changed: Readonly<Record<string, unknown>>): Promise<Driver> {
    const driver = await ipfsCluster.open({
      backend: "cluster",
      options: ipfsCluster.options.parse(clusterOptionsFor(cluster, changed)),
      capacityBytes: undefined,
      secret: () => Promise.resolve(cluster.password),
    });
    opened.push(driver);
    return driver;
  }

  it("is made at as many as are asked for, and not sent again", async () => {
    const one = await open({ replicationMin: 1, replicationMax: 1, name: "theirs" });
    const stored = sample(4_000);
    const { cid } = stored.object;
    await one.write(stored.object, bodyFor(one, stored));
    const evidence = async (driver: Driver) => await driver.verify(stored.object, "listed");
    expect((await evidence(one)).method).toBe("pinned at 1 of 1 peers");
    const two = await open({ name: "ours" });
    const copy = await two.write(stored.object, unreadBody());
    expect((await evidence(two)).method).toBe("pinned at 2 of 2 peers");
    // It keeps its name; who asks for fewer takes none away.
    expect(await one.write(stored.object, unreadBody())).toEqual(copy);
    expect(JSON.parse(await cluster.ask("GET", `/allocations/${cid}`))).toMatchObject({
      name: "theirs",
      replication_factor_min: 2,
      replication_factor_max: 2,
    });
  });
});

function unreadBody() {
  const stream: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("nothing may be read")),
    }),
  };
  return { form: "dag", bytes: undefined, stream } as const;
}
