import { DuckDBInstance } from "#index/duckdb.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { dataPaths } from "#config/data-paths.ts";
import { fillWorkspace, makeWorkspace, workspaceConfig } from "../bench-workspace.ts";
import type { Benchmark } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import { program, runNode } from "../runner/run-program.ts";
import { duckdbLimit, threads } from "../runner/workbench.ts";

const rule = "- {name: cool, where: idle > 30d, demote: {from: tier = hot, to: tier = cold}}";

export default {
  name: "startup",
  about: "commands from start to end, with and without an index, against node -e 0",
  prepare: async ({ folder, objects }) => {
    await makeWorkspace(folder, rule);
    await fillWorkspace(folder, objects);
  },
  async measure(bench) {
    const { rounds, folder } = bench;
    const config = await workspaceConfig(folder);
    const path = dataPaths(config.dataDirectory).index;
    const nothing = { peer: () => runNode(["-e", "0"], folder), peerName: "node -e 0" };
    bench.allow(duckdbLimit);
    let peak = 0;
    return [
      await compare({
        what: "thermocline version",
        rounds,
        ours: () => runNode([program, "version"], folder),
        ...nothing,
      }),
      await compare({
        what: "thermocline objects ls --limit 1, with its engine",
        rounds,
        ours: async () => {
          peak = Math.max(
            peak,
            await runNode([program, "objects", "ls", "--limit", "1", "-q"], folder),
          );
        },
        ...nothing,
      }),
      counted({
        what: "memory of that command",
        ours: peak,
        peer: config.index.memoryBytes,
        peerName: "DuckDB's limit",
        unit: "B",
        better: "less",
      }),
      await compare({
        what: "open the index, ask it something and close it",
        rounds,
        ours: async () => {
          const index = await ObjectIndex.open(path, { memoryLimit: duckdbLimit, threads });
          await index.version();
          await index.close();
        },
        peer: () => openBare(path),
        peerName: "the same in DuckDB",
      }),
    ];
  },
} satisfies Benchmark;

async function openBare(path: string): Promise<void> {
  const options = { threads: String(threads), memory_limit: duckdbLimit };
  const instance = await DuckDBInstance.create(path, options);
  const connection = await instance.connect();
  await connection.runAndReadAll("SELECT commits FROM counters");
  connection.closeSync();
  instance.closeSync();
}
