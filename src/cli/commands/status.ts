import { defineCommand } from "#cli/command.ts";
import { formatStatus } from "#cli/output/format-status.ts";

export default defineCommand({
  name: "status",
  summary: "show objects, copies, runs and nodes on one screen",
  examples: ["thermocline status"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const status = await api.status();
    context.print(() => formatStatus(status, context.io.clock.now()), { status });
  },
});
