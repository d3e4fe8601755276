import { defineCommand } from "#cli/command.ts";
import { formatExplanation } from "#cli/output/format-explanation.ts";

export default defineCommand({
  name: "explain",
  summary: "say why something happens to an object, or does not, and what would change that",
  examples: ["thermocline explain /datasets/2024/january.csv", "thermocline explain bafy…"],
  setup: (command) =>
    command
      .argument("<object>", "CID, path or object number")
      .option("--at <time>", "explain as if it were this time (ISO 8601)"),
  async run(context, [object], options) {
    const { api } = await context.connect();
    const request = options.at === undefined ? { object } : { object, at: options.at };
    const explanation = await api.explain(request);
    context.print(() => formatExplanation(explanation, context.io.clock.now()), { explanation });
  },
});
