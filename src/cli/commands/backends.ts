import { defineCommand } from "#cli/command.ts";
import { formatBackends } from "#cli/output/format-status.ts";

export default defineCommand({
  name: "backends",
  summary: "list backends with room and reachability",
  examples: ["thermocline backends"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const backends = await api.backends();
    context.print(() => formatBackends(backends), { backends });
  },
});
