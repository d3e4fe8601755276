import { defineCommand } from "#cli/command.ts";
import { listFailures, withFailureOptions } from "#cli/list-failures.ts";

export default defineCommand({
  name: "quarantine-ls",
  words: ["quarantine", "ls"],
  isDefault: true,
  summary: "list what plans leave out because it failed too often for one cause",
  examples: ["thermocline quarantine ls --cause CORRUPT"],
  setup: (command) => withFailureOptions(command),
  run: (context, _args, options) => listFailures(context, options, true),
});
