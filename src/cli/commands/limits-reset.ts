import { defineCommand } from "#cli/command.ts";
import { formatLimits } from "#cli/output/format-limits.ts";

export default defineCommand({
  name: "limits-reset",
  words: ["limits", "reset"],
  summary: "let the configured limits of a backend count again",
  examples: ["thermocline limits reset disk-2"],
  setup: (command) => command.argument("<backend>", "name of the backend"),
  async run(context, [backend]) {
    const { api } = await context.connect();
    const limits = await api.resetLimits(backend);
    context.print(() => formatLimits([limits]), { limits });
  },
});
