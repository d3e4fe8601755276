// What this process holds, above the program itself, while it does something with every object of
// an index within a memory limit; one line of JSON.
//   node bench/within-limit.ts <work> <index.duckdb> <limit> [<copies that are listed>]
// Inventories make their index; the next one needs that of the first.
import { dirname, join } from "node:path";
import { ObjectIndex } from "#index/object-index.ts";
import { works } from "./memory-works.ts";
import { peakMemory } from "./runner/peak-memory.ts";
import { threads } from "./runner/workbench.ts";

const [name = "", path = "", memoryLimit = "1GiB", copies = "0"] = process.argv.slice(2);
const work = works[name];
if (work === undefined) throw new Error(`one of ${Object.keys(works).join(", ")}, not ${name}`);
const base = peakMemory();
const began = performance.now();
const index = await ObjectIndex.open(path, { memoryLimit, threads });
try {
  await work(index, join(dirname(path), `${name}-${process.pid}`), Number(copies));
} finally {
  await index.close();
}
const { user, system } = process.cpuUsage();
const held = peakMemory() - base;
const seconds = (performance.now() - began) / 1_000;
console.log(JSON.stringify({ held, base, seconds, processor: (user + system) / 1e6 }));
