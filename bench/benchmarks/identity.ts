import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark } from "../runner/benchmark.ts";
import { counted } from "../runner/compare.ts";
import { duckdbLimit } from "../runner/workbench.ts";

const entry = fileURLToPath(new URL("../snapshot-cid.ts", import.meta.url));
/** Each snapshot is taken by a process of its own, the last two by different ones in one way. */
const threadCounts = [1, 2, 4, 4];

export default {
  name: "identity",
  about: "the CIDs of snapshots by several processes and thread counts, against one",
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  async measure(bench) {
    bench.allow(duckdbLimit);
    const cids = new Set<string>();
    const folder = bench.path("snapshots");
    for (const threads of threadCounts) {
      const args = [entry, bench.path("index.duckdb"), String(threads), folder];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      if (!stdout.startsWith("b")) throw new Error(`no CID: ${stdout}`);
      cids.add(stdout);
      await rm(folder, { recursive: true });
    }
    return [
      counted({
        what: "CIDs of snapshots with 1, 2 and 4 threads",
        ours: cids.size,
        peer: 1,
        peerName: "one for all processes",
        unit: "CIDs",
        better: "less",
        goal: 1,
      }),
    ];
  },
} satisfies Benchmark;
