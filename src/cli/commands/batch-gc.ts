import { InvalidArgumentError } from "@commander-js/extra-typings";
import { defineCommand } from "#cli/command.ts";
import { count, counted } from "#cli/output/words.ts";
import { wholeNumber } from "#cli/whole-number.ts";
import { formatSize, parseDuration } from "#model/quantity.ts";

export default defineCommand({
  name: "batch-gc",
  words: ["batch", "gc"],
  summary: "give up old record batches, and what publishers left who died",
  examples: ["thermocline batch gc --older-than 7d --keep 100 --dry-run"],
  setup: (command) =>
    command
      .option("--older-than <duration>", "those published before so long go: 7d", duration)
      .option("--keep <n>", "the newest so many stay, whatever their age", wholeNumber)
      .option("--dry-run", "say what would go"),
  async run(context, _args, { olderThan, keep, dryRun = false }) {
    const { api } = await context.connect();
    const report = await api.collectBatches({
      ...(olderThan === undefined ? {} : { olderThanMs: olderThan }),
      ...(keep === undefined ? {} : { keep }),
      dryRun,
    });
    const { kept, inUse, removed, bytesRemoved, leftovers } = report;
    const verb = dryRun ? "would remove" : "removed";
    const what = `${counted(removed.length, "batch")}, ${formatSize(bytesRemoved)}`;
    const used = inUse === 0 ? "" : `, ${count(inUse)} of them for runs and snapshots`;
    const left = `and ${counted(leftovers, "leftover")}; ${count(kept)} stay${used}`;
    context.print(`${verb} ${what}, ${left}\n`, { dryRun, ...report });
  },
});

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "Say 7d, or 12h.");
  }
}
