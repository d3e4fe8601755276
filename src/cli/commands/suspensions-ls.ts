import { defineCommand } from "#cli/command.ts";
import { formatSuspensions } from "#cli/output/format-failures.ts";

export default defineCommand({
  name: "suspensions-ls",
  words: ["suspensions", "ls"],
  isDefault: true,
  summary: "list policies that stopped because too much of what they did failed",
  examples: ["thermocline suspensions ls"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const suspensions = await api.suspensions();
    context.print(() => formatSuspensions(suspensions, context.io.clock.now()), { suspensions });
  },
});
