import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-push",
  words: ["index", "snapshot", "push"],
  summary: "send to a backend what it lacks of a snapshot, and read back what was sent",
  examples: ["thermocline index snapshot push newest --to archive"],
  setup: (command) =>
    command
      .argument("[snapshot]", "its CID, the beginning of it, newest, or a time", "newest")
      .requiredOption("--to <backend>", "where it goes")
      .option("--full", "read what is there already too; repairs damaged parts"),
  async run(context, [snapshot], { to, full }) {
    const { api } = await context.snapshots();
    const request = { snapshot, to, ...(full === true ? { full } : {}) };
    const report = await api.pushSnapshot(request);
    const { cid, takenAt, partsMoved, bytesMoved, parts } = report;
    const sent = `sent ${counted(partsMoved, "part")} of ${parts}, ${formatSize(bytesMoved)}`;
    context.print(`${cid}\ntaken ${takenAt}; ${sent}, to ${to}\n`, { ...report });
  },
});
