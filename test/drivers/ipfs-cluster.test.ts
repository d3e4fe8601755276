import { afterAll, beforeAll } from "vitest";
import type { Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import { clusterMissing, startCluster, type TwoPeerCluster } from "../services/ipfs-cluster.ts";
import { clusterOptionsFor, damageBlocks, emptyPinset } from "./cluster-place.ts";

const missing = clusterMissing();
let cluster: TwoPeerCluster;

beforeAll(async () => {
  if (missing === undefined) cluster = await startCluster();
});

afterAll(async () => {
  if (missing === undefined) await cluster.stop();
});

testDriver({
  name: "ipfs-cluster on two peers v1.1.6",
  definition: ipfsCluster,
  missing,
  skip: [],
  // Some blocks below a root.
  largeBytes: 5 * 1024 * 1024 + 3,
  storage,
});

async function storage(): Promise<SubjectStorage> {
  await emptyPinset(cluster);
  return {
    open: (options): Promise<Driver> =>
      ipfsCluster.open({
        backend: kitBackend,
        options: ipfsCluster.options.parse(clusterOptionsFor(cluster)),
        capacityBytes: options?.capacityBytes,
        secret: () => Promise.resolve(cluster.password),
      }),
    corrupt: ({ locator }) => damageBlocks(cluster, locator.slice("/ipfs/".length)),
    // What was not pinned is garbage, which nodes collect themselves: the kit looks for pins.
    leftovers: () => Promise.resolve([]),
    remove: () => emptyPinset(cluster),
  };
}
