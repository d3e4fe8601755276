import { defineCommand } from "#cli/command.ts";
import { runNode } from "#cli/run-node.ts";

export default defineCommand({
  name: "controller",
  staysUp: true,
  summary: "run the controller: it owns the index, plans, and serves the API",
  examples: ["thermocline controller", "thermocline controller --no-standby"],
  setup: (command) =>
    command.option(
      "--no-standby",
      "end with exit code 11 when another controller is active, instead of waiting as standby",
    ),
  run: (context, _args, { standby }) => runNode(context, { roles: ["controller"], standby }),
});
