import { defineCommand } from "#cli/command.ts";
import { runNode } from "#cli/run-node.ts";

export default defineCommand({
  name: "controller",
  staysUp: true,
  summary: "run the controller: it owns the index, plans, and serves the API",
  setup: (command) => command,
  run: (context) => runNode(context, ["controller"]),
});
