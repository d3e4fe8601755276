import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "batch-get",
  words: ["batch", "get"],
  summary: "fetch a record batch as an Arrow file, checked against its CID",
  examples: ["thermocline batch get bafkreif newest.arrow"],
  setup: (command) =>
    command
      .argument("<batch>", "CID, the beginning of it, or `newest`")
      .argument("<file>", "a new file on this machine"),
  async run(context, [batch, name]) {
    const { api } = await context.connect();
    const file = resolve(context.io.cwd, name);
    // Loaded now: Arrow and UnixFS would make every command slower to start.
    const { receiveBatch } = await import("#engine/batches/receive-batch.ts");
    const { cid, size } = await receiveBatch(batch, api.batch(batch), file);
    context.print(`${cid}\n${formatSize(size)}, in ${file}\n`, { cid, bytes: size, file });
  },
});
