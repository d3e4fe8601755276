import { resolve } from "node:path";
import { auditRequest } from "#cli/audit-options.ts";
import { defineCommand } from "#cli/command.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "audit-export",
  words: ["audit", "export"],
  summary: "write the ledger, or a part of it, to a Parquet, CSV, NDJSON or JSON file",
  examples: ["thermocline audit export november.parquet --since 2026-11-01"],
  setup: (command) =>
    command
      .argument(
        "<file>",
        "ends in .parquet, .arrow, .csv, .ndjson or .json; written by the controller",
      )
      .option("--where <expression>", "only these, in the language of policies")
      .option("--since <time>", "recorded since then: 2026-11-21, or how long ago: 7d")
      .option("--until <time>", "recorded before then")
      .option("--run <id>", "of one run")
      .option("--object <object>", "about one object: CID, path or number"),
  async run(context, [name], options) {
    const { api } = await context.connect();
    const file = resolve(context.io.cwd, name);
    const written = await api.exportAudit({
      ...auditRequest(options, context.io.clock.now()),
      file,
    });
    context.print(`${written.rows} entries, ${formatSize(written.bytes)}, in ${written.file}\n`, {
      ...written,
    });
  },
});
