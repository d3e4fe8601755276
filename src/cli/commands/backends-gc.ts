import { defineCommand } from "#cli/command.ts";
import { count, counted } from "#cli/output/words.ts";
import { textPairs } from "#cli/output/text-table.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import type { GarbageProgress } from "#model/garbage.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "backends-gc",
  words: ["backends", "gc"],
  summary: "have an IPFS node drop what no pin needs, so that its room is free",
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
    const freedBytes = Math.max(0, done.usedBytesBefore - (done.usedBytes ?? done.usedBytesBefore));
    context.print(() => (dryRun ? describeBefore(backend, done) : describe(backend, done)), {
      backend,
      dryRun,
      ...report,
      ...(dryRun ? {} : { freedBytes }),
    });
  },
});

function describe(backend: string, done: GarbageProgress): string {
  const { blocks, usedBytesBefore, usedBytes = usedBytesBefore, totalBytes, elapsedMs } = done;
  return textPairs([
    ["backend", backend],
    ["dropped", counted(blocks, "block")],
    ["freed", formatSize(Math.max(0, usedBytesBefore - usedBytes))],
    ["holds", `${formatSize(usedBytes)}${limitWords(totalBytes)}`],
    ["took", formatDuration(elapsedMs)],
  ]);
}

function describeBefore(backend: string, done: GarbageProgress): string {
  const { blocksBefore = 0, usedBytesBefore, totalBytes } = done;
  const blocks = `${count(blocksBefore)}, pinned ones too`;
  return textPairs([
    ["backend", backend],
    ["holds", `${formatSize(usedBytesBefore)}${limitWords(totalBytes)}`],
    ["blocks", blocks],
    ["garbage", "the node says what it is only when it drops it (a dry run: nothing was dropped)"],
  ]);
}

function limitWords(totalBytes: number): string {
  return totalBytes > 0 ? ` of ${formatSize(totalBytes)} (Datastore.StorageMax)` : "";
}
