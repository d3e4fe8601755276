import { defineCommand } from "#cli/command.ts";
import { formatWhy } from "#cli/output/format-why.ts";

export default defineCommand({
  name: "why",
  summary: "say why a run, an object or a job stands where it stands, and what would end it",
  examples: ["thermocline why run-3", "thermocline why /datasets/2024/january.csv"],
  setup: (command) => command.argument("<thing>", "a run, a job id, a CID, path or object number"),
  async run(context, [reference]) {
    const { api } = await context.connect();
    const report = await api.why(reference);
    context.print(() => formatWhy(report, context.io.clock.now()), { ...report });
  },
});
