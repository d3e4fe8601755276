import { defineCommand } from "#cli/command.ts";
import { listFailures, withFailureOptions } from "#cli/list-failures.ts";

export default defineCommand({
  name: "failures-ls",
  words: ["failures", "ls"],
  isDefault: true,
  summary: "list what failed and did not succeed since, by cause, with the remedy",
  examples: ["thermocline failures", "thermocline failures ls --backend cold --cause CORRUPT"],
  setup: (command) =>
    withFailureOptions(command.option("--run <id>", "what failed in this run last")),
  run: (context, _args, options) => listFailures(context, options, false),
});
