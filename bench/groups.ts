// Small objects from one local store to another, driver against driver: groups of them, and one by
// one as promises, both sides in one run, processor time of the process. No index, no queue.
//   node bench/groups.ts [objects = 10000] [KiB = 4] [rounds = 3]
import { randomBytes } from "node:crypto";
import { groupBytesMax, groupObjectsMax } from "#model/driver.ts";
import type { ObjectRef } from "#model/copy.ts";
import { transfer } from "#jobs/transfer.ts";
import { LocalStores } from "../test/jobs/local-stores.ts";
import { costOf } from "./median.ts";

const count = Number(process.argv[2] ?? 10_000);
const size = Number(process.argv[3] ?? 4) * 1024;
const rounds = Number(process.argv[4] ?? 3);
const together = Math.min(groupObjectsMax, Math.floor(groupBytesMax / size));

await using stores = await LocalStores.open();
const objects: ObjectRef[] = [];
for (let at = 0; at < count; at += 1) {
  objects.push((await stores.put("hot", randomBytes(size))).object);
}
const source = await stores.driver("hot");
for (let round = 1; round <= rounds; round += 1) {
  for (const [name, copy] of [
    ["groups", copyGroups],
    ["one by one", copyEach],
  ] as const) {
    const { seconds, processor } = await costOf(() => copy(`${name} ${round}`));
    const each = (time: number) => `${((time * 1e6) / count).toFixed(1)} us`;
    console.log(`${name}: ${each(seconds)} an object, processor time ${each(processor)}`);
  }
}

async function copyGroups(to: string): Promise<void> {
  const target = await stores.driver(to);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const group = objects.slice(next, (next += together));
      using read = await source.readGroup(group);
      const bytes = read.bytes.filter((piece) => piece !== undefined);
      const stored = await target.storeGroup(group, bytes);
      if (stored.some((copy) => copy?.moved !== true)) throw new Error("not all were copied");
    }
  };
  await Promise.all([lane(), lane()]);
}

async function copyEach(to: string): Promise<void> {
  const target = { backend: to, driver: await stores.driver(to) };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let object = objects[next++]; object !== undefined; object = objects[next++]) {
      const copy = await source.stat(object);
      if (copy === undefined) throw new Error("the source is gone");
      await transfer(object, { backend: "hot", driver: source, copy }, target);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
