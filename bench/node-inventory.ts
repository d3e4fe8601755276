// Inventories of a real IPFS node with very many pins: how long, and in how much memory. A first
// one, which has to ask for every size, one that knows them, and a bare reading of the node's list.
// The node is filled before, which takes longest; a REPOSITORY given for that is kept and used again.
//   TMPDIR=/dev/shm node bench/node-inventory.ts [pins = 1000000] [REPOSITORY]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InventoryStep } from "#index/inventories/inventory-store.ts";
import { ObjectIndex } from "#index/object-index.ts";
import kubo from "#drivers/kubo/kubo.ts";
import { jsonLines } from "#drivers/contract/json-lines.ts";
import type { ByteStream } from "#model/driver.ts";
import { localFacts } from "./copy-plan.ts";
import { costOf } from "./median.ts";
import { openPinnedNode, type PinnedNode } from "./pinned-node.ts";
import { processorOf } from "./transfers/compare-sides.ts";

const mebibyte = 1024 * 1024;
const backend = "node";
const secret = () => Promise.resolve("");
const pins = Number(process.argv[2] ?? 1_000_000);

await using node = await openPinnedNode(pins, process.argv[3]);
const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-inventory-"));
try {
  await measure("a bare reading of `pin/ls`", node, () => readBare(node));
  const limits = { threads: 2, memoryLimit: "256MiB" };
  const index = await ObjectIndex.open(join(folder, "index.duckdb"), limits);
  await index.syncBackends([localFacts(backend)]);
  const options = kubo.options.parse({ rpc: node.rpc });
  const driver = await kubo.open({ backend, options, capacityBytes: undefined, secret });
  let number = 0;
  const inventory = async (): Promise<number> => {
    number += 1;
    let last: InventoryStep | undefined;
    for await (const step of index.inventories.take({
      backend,
      source: "listing",
      folder: join(folder, "listing"),
      begunAt: new Date(),
      dryRun: false,
      restart: false,
      isLate: false,
      entries: (_, knownBytes) => driver.list({ knownBytes }),
      look: (object) => driver.stat(object),
    })) {
      last = step;
    }
    const { listed = 0, confirmed = 0, unexpected = 0 } = last?.found ?? {};
    console.log(`inventory ${number}: ${confirmed} confirmed, ${unexpected} unexpected`);
    return listed;
  };
  await measure("a first inventory", node, inventory);
  await measure("the next one", node, inventory);
  await driver.close();
  await index.close();
} finally {
  await rm(folder, { recursive: true });
}

/** Says how many were listed, and what that took of this process and of the node. */
async function measure(
  what: string,
  { pid }: PinnedNode,
  work: () => Promise<number>,
): Promise<void> {
  const before = processorOf([pid]);
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100);
  let listed = 0;
  const { seconds, processor } = await costOf(async () => (listed = await work()));
  clearInterval(watch);
  const ofNode = processorOf([pid]) - before;
  console.log(
    `${what}: ${listed} pins in ${seconds.toFixed(1)} s, ${Math.round(listed / seconds)} a second; ` +
      `processor time ${processor.toFixed(1)} s here and ${ofNode.toFixed(1)} s of the node; ` +
      `at most ${Math.round(peak / mebibyte)} MiB`,
  );
}

async function readBare({ rpc }: PinnedNode): Promise<number> {
  const address = `${rpc}/api/v0/pin/ls?type=recursive&stream=true&names=true`;
  const answer = await fetch(address, { method: "POST" });
  let listed = 0;
  for await (const _ of jsonLines(answer.body as ByteStream, "listing")) listed += 1;
  return listed;
}
