import { defineCommand } from "#cli/command.ts";
import { formatRun } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "runs-show",
  words: ["runs", "show"],
  summary: "show one run: outcomes, causes of failures, and what it waits for",
  examples: ["thermocline runs show run-7"],
  setup: (command) => command.argument("<run>", "id of the run"),
  async run(context, [id]) {
    const { api } = await context.connect();
    const run = await api.run(id);
    const { waiting } = run.endedAt === undefined ? await api.why(run.id) : { waiting: [] };
    context.print(() => formatRun(run, context.io.clock.now(), waiting), { run, waiting });
  },
});
