import { batchTag } from "#cli/batch-tags.ts";
import { defineCommand } from "#cli/command.ts";
import { formatBatches } from "#cli/output/format-batch.ts";
import { positiveInteger } from "#cli/positive-integer.ts";

const limitDefault = 50;

export default defineCommand({
  name: "batch-ls",
  words: ["batch", "ls"],
  isDefault: true,
  summary: "list the record batches that were published, the newest first",
  examples: ["thermocline batch ls --tag kind=plan"],
  setup: (command) =>
    command
      .option("--tag <name=value>", "only those with this tag; may be given again", batchTag)
      .option("--limit <n>", "the newest so many", positiveInteger, limitDefault),
  async run(context, _args, { tag, limit }) {
    const { api } = await context.connect();
    const batches = await api.batches({ limit, ...(tag === undefined ? {} : { tags: tag }) });
    context.print(() => formatBatches(batches, context.io.clock.now()), { batches });
  },
});
