import { defineCommand } from "#cli/command.ts";
import { formatLimits } from "#cli/output/format-limits.ts";

export default defineCommand({
  name: "limits-ls",
  words: ["limits", "ls"],
  isDefault: true,
  summary: "show how hard each backend may be worked now, and when that changes",
  examples: ["thermocline limits ls"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const limits = await api.limits();
    context.print(() => formatLimits(limits), { limits });
  },
});
