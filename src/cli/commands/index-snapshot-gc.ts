import { defineCommand } from "#cli/command.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-gc",
  words: ["index", "snapshot", "gc"],
  summary: "give up all but the newest snapshots, and what only they needed",
  examples: ["thermocline index snapshot gc --keep 30 --dry-run"],
  setup: (command) =>
    command
      .requiredOption("--keep <n>", "the newest so many stay", positiveInteger)
      .option("--dry-run", "say what would go")
      .option("--on <backend>", "those on a backend instead of those here"),
  async run(context, _args, { keep, dryRun = false, on }) {
    const { api } = await context.snapshots();
    const report = await api.collectSnapshots({
      keep,
      dryRun,
      ...(on === undefined ? {} : { on }),
    });
    const { kept, removed, partsRemoved, bytesRemoved } = report;
    const what = `${removed.length} snapshots and ${partsRemoved} parts`;
    const verb = dryRun ? "would remove" : "removed";
    const left = `${kept.length} snapshots stay`;
    context.print(`${verb} ${what}, ${formatSize(bytesRemoved)}; ${left}\n`, {
      dryRun,
      ...report,
    });
  },
});
