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
    const { api, where } = await context.connect();
    const repairs = await api.repairs(limit);
    context.print(() => formatRepairs(repairs, context.io.clock.now()), { repairs });
    if (repairs.length > 0 && where === "process") {
      context.note(
        "a controller looks at these, and closes what is made good: until one runs, they stay listed",
      );
    }
  },
});
