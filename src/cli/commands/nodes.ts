import { defineCommand } from "#cli/command.ts";
import { formatNodes } from "#cli/output/format-status.ts";

export default defineCommand({
  name: "nodes",
  summary: "list the nodes that work",
  examples: ["thermocline nodes"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const nodes = await api.nodes();
    context.print(() => formatNodes(nodes, context.io.clock.now()), { nodes });
  },
});
