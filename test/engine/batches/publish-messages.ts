// Publishes small batches in a process of its own: <folder> <how many> <who>.
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { BatchRegistry } from "#engine/batches/batch-registry.ts";

const [directory = "", count = "", from = ""] = process.argv.slice(2);
const registry = new BatchRegistry(directory, { durable: false, segmentBytes: 4_096 });
for (let number = 0; number < Number(count); number += 1) {
  const columns = { from: Int32Array.of(Number(from)), number: Float64Array.of(number) };
  registry.publishBytes(tableToIPC(tableFromArrays(columns), "file"), {
    from,
    number: String(number),
  });
}
registry.close();
