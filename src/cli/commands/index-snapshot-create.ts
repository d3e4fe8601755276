import { defineCommand } from "#cli/command.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-create",
  words: ["index", "snapshot", "create"],
  isDefault: true,
  summary: "write the index as Parquet files named by CID; what did not change is not written",
  examples: ["thermocline index snapshot"],
  setup: (command) =>
    command.option("--full", "write every part again and compare bytes; repairs damaged parts"),
  async run(context, _args, { full }) {
    const { api } = await context.connect();
    const report = await api.takeSnapshot(full === true ? { full } : {});
    const { cid, unchanged, objects, bytes, parts, partsWritten, bytesWritten } = report;
    const holds = `${objects} objects, ${formatSize(bytes)} in ${parts} parts`;
    const wrote = `wrote ${partsWritten} parts, ${formatSize(bytesWritten)}`;
    const line = `${cid}\n${holds}; ${unchanged ? "nothing has changed since; " : ""}${wrote}\n`;
    context.print(line, { ...report });
  },
});
