import { defineCommand } from "#cli/command.ts";
import { formatObjects } from "#cli/output/format-object.ts";
import { positiveInteger } from "#cli/positive-integer.ts";

const limitDefault = 50;

export default defineCommand({
  name: "objects-ls",
  words: ["objects", "ls"],
  isDefault: true,
  summary: "list objects",
  examples: [`thermocline objects ls --where 'heat < 0.5 and size > 1GiB'`],
  setup: (command) =>
    command
      .option("--where <expression>", "only these, in the language of policies")
      .option("--limit <n>", "at most so many", positiveInteger, limitDefault),
  async run(context, _args, { where, limit }) {
    const { api } = await context.connect();
    const objects = await api.objects(where === undefined ? { limit } : { where, limit });
    context.print(() => formatObjects(objects, context.io.clock.now()), { objects });
    if (objects.length === limit) context.note(`the first ${limit}; see more with --limit`);
  },
});
