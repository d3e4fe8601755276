import { defineCommand } from "#cli/command.ts";
import { formatRepairs } from "#cli/output/format-failures.ts";
import { positiveInteger } from "#cli/positive-integer.ts";

const repairsShown = 100;

export default defineCommand({
  name: "repairs",
  summary: "list copies that checks found absent or corrupt and that are not made good yet",
  examples: ["thermocline repairs --limit 10"],
  setup: (command) =>
    command.option("--limit <n>", "show so many, the oldest first", positiveInteger, repairsShown),
  async run(context, _args, { limit }) {
    const { api } = await context.connect();
    const repairs = await api.repairs(limit);
    context.print(() => formatRepairs(repairs, context.io.clock.now()), { repairs });
  },
});
