import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-export",
  words: ["index", "snapshot", "export"],
  summary: "write a snapshot as one CAR, which anything that speaks IPFS can keep",
  examples: ["thermocline index snapshot export newest index.car"],
  setup: (command) =>
    command
      .argument("<snapshot>", "its CID, the beginning of it, newest, or a time")
      .argument("<file>", "the CAR to write"),
  async run(context, [snapshot, name]) {
    const { api } = await context.snapshots();
    const file = resolve(context.io.cwd, name);
    const report = await api.exportSnapshot({ snapshot, file });
    const { cid, takenAt, carBytes } = report;
    context.print(`${cid}\ntaken ${takenAt}; ${formatSize(carBytes)}, in ${file}\n`, { ...report });
  },
});
