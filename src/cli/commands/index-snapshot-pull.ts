import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-pull",
  words: ["index", "snapshot", "pull"],
  summary: "fetch from a backend what is not here of a snapshot; every byte is checked",
  examples: [
    "thermocline index snapshot pull newest --from archive",
    "thermocline index snapshot pull 2026-12-24T18:00Z --from archive",
  ],
  setup: (command) =>
    command
      .argument("[snapshot]", "its CID, the beginning of it, newest, or a time", "newest")
      .requiredOption("--from <backend>", "where it is")
      .option("--full", "read what is here already too; repairs damaged parts"),
  async run(context, [snapshot], { from, full }) {
    const { api } = await context.snapshots();
    const request = { snapshot, from, ...(full === true ? { full } : {}) };
    const report = await api.pullSnapshot(request);
    const { cid, takenAt, partsMoved, bytesMoved, parts } = report;
    const got = `fetched ${counted(partsMoved, "part")} of ${parts}, ${formatSize(bytesMoved)}`;
    context.print(`${cid}\ntaken ${takenAt}; ${got}, from ${from}\n`, { ...report });
  },
});
