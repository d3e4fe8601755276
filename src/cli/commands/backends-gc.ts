import { defineCommand } from "#cli/command.ts";
import { count, counted } from "#cli/output/words.ts";
import { textPairs } from "#cli/output/text-table.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import type { GarbageProgress } from "#model/garbage.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "backends-gc",
  words: ["backends", "gc"],
  summary: "have an IPFS node or cluster drop what no pin needs, so that its room is free",
  examples: ["thermocline backends gc kubo-eu --dry-run"],
  setup: (command) =>
    command
      .argument("<backend>", "name of the backend")
      .option("-n, --dry-run", "say what it holds, drop nothing"),
  async run(context, [backend], { dryRun = false }) {
    const { api } = await context.connect();
    const steps = api.collectGarbage({ backend, dryRun });
    const done = await streamWithProgress(context, steps, ({ blocks }) => ({
      what: "gc",
      noun: "blocks",
      done: blocks,
      total: undefined,
      bytesDone: 0,
      bytesTotal: undefined,
    }));
    const { type: _, ...report } = done;
    const freedBytes = freedBy(done);
    context.print(() => (dryRun ? describeBefore(backend, done) : describe(backend, done)), {
      backend,
      dryRun,
      ...report,
      ...(dryRun || freedBytes === undefined ? {} : { freedBytes }),
    });
  },
});

function describe(backend: string, done: GarbageProgress): string {
  const { blocks, usedBytes, totalBytes, elapsedMs, nodes = [] } = done;
  const freedBytes = freedBy(done);
  return textPairs([
    ["backend", backend],
    ["dropped", counted(blocks, "block")],
    ...nodes.map((node): [string, string] => [`at ${node.name}`, counted(node.blocks, "block")]),
    ["freed", freedBytes === undefined ? "not told" : formatSize(freedBytes)],
    ["holds", holdsWords(usedBytes, totalBytes)],
    ["took", formatDuration(elapsedMs)],
  ]);
}

function describeBefore(backend: string, done: GarbageProgress): string {
  const { blocksBefore, usedBytesBefore, totalBytes } = done;
  const blocks =
    blocksBefore === undefined ? "not told" : `${count(blocksBefore)}, pinned ones too`;
  return textPairs([
    ["backend", backend],
    ["holds", holdsWords(usedBytesBefore, totalBytes)],
    ["blocks", blocks],
    ["garbage", "the node says what it is only when it drops it (a dry run: nothing was dropped)"],
  ]);
}

function freedBy({ usedBytesBefore, usedBytes }: GarbageProgress): number | undefined {
  if (usedBytesBefore === undefined) return undefined;
  return Math.max(0, usedBytesBefore - (usedBytes ?? usedBytesBefore));
}

function holdsWords(usedBytes: number | undefined, totalBytes = 0): string {
  if (usedBytes === undefined) return "not told: give the nodes of the cluster as `rpc`";
  const limit = totalBytes > 0 ? ` of ${formatSize(totalBytes)} (Datastore.StorageMax)` : "";
  return `${formatSize(usedBytes)}${limit}`;
}
