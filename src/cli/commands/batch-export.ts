import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "batch-export",
  words: ["batch", "export"],
  summary: "write a record batch to a CAR, Parquet, Arrow, CSV, NDJSON or JSON file",
  examples: [
    "thermocline batch export newest plan.car",
    "thermocline batch export bafkreif a.parquet",
  ],
  setup: (command) =>
    command
      .argument("<batch>", "CID, the beginning of it, or `newest`")
      .argument("<file>", "its extension says the format; written by the controller"),
  async run(context, [batch, name]) {
    const { api } = await context.connect();
    const written = await api.exportBatch({ batch, file: resolve(context.io.cwd, name) });
    const { rows, bytes, file } = written;
    context.print(`${counted(rows, "row")}, ${formatSize(bytes)}, in ${file}\n`, { ...written });
  },
});
