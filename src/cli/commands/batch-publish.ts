import { resolve } from "node:path";
import { batchTag } from "#cli/batch-tags.ts";
import { defineCommand } from "#cli/command.ts";
import { describeBatch } from "#cli/output/format-batch.ts";

export default defineCommand({
  name: "batch-publish",
  words: ["batch", "publish"],
  summary: "make rows an Arrow file named by CID, for other processes and languages",
  examples: [
    `thermocline batch publish --query "SELECT cid, size, heat_weight FROM object ORDER BY object_id"`,
    "thermocline batch publish --plan cool.plan.json --tag weekend=3",
    "thermocline batch publish --file measured.arrow",
  ],
  setup: (command) =>
    command
      .option("--query <sql>", "one SELECT over the views of the index")
      .option("--plan <plan>", "CID of a plan that was applied, or the file of a saved one")
      .option("--file <file>", "an Arrow file on the controller's machine")
      .option("--snapshot <snapshot>", "ask the query of a snapshot: CID, newest, or a time")
      .option("--tag <name=value>", "says what it is; may be given again", batchTag),
  async run(context, _args, { query, plan, file, snapshot, tag }) {
    const { api } = await context.connect();
    const batch = await api.publishBatch({
      ...(query === undefined ? {} : { query }),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(plan === undefined ? {} : { plan }),
      ...(file === undefined ? {} : { file: resolve(context.io.cwd, file) }),
      ...(tag === undefined ? {} : { tags: tag }),
    });
    context.print(`${batch.cid}\n${describeBatch(batch)}\n`, { ...batch });
  },
});
