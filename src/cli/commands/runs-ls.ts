import { defineCommand } from "#cli/command.ts";
import { formatRuns } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "runs-ls",
  words: ["runs", "ls"],
  isDefault: true,
  summary: "list runs, the newest first",
  examples: ["thermocline runs ls"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const runs = await api.runs();
    context.print(() => formatRuns(runs, context.io.clock.now()), { runs });
  },
});
