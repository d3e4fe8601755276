import { defineCommand } from "#cli/command.ts";
import { runNode } from "#cli/run-node.ts";

export default defineCommand({
  name: "up",
  staysUp: true,
  summary: "run everything in one process: controller, worker, queue",
  examples: ["thermocline up", "thermocline up --api-listen 127.0.0.1:8080"],
  setup: (command) => command,
  async run(context) {
    const { node } = await context.config();
    return runNode(context, { roles: node.roles, standby: false });
  },
});
