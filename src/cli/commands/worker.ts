import { defineCommand } from "#cli/command.ts";
import { runNode } from "#cli/run-node.ts";

export default defineCommand({
  name: "worker",
  staysUp: true,
  summary: "run a worker: it moves copies between the backends it can reach",
  examples: ["thermocline worker --queue-url env:QUEUE_URL --api-url https://controller:8080"],
  setup: (command) => command,
  run: (context) => runNode(context, { roles: ["worker"], standby: false }),
});
