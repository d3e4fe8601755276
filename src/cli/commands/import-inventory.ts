import { defineCommand } from "#cli/command.ts";
import { inventoryCommand } from "#cli/inventory-command.ts";

export default defineCommand({
  name: "import-inventory",
  words: ["import", "inventory"],
  summary: "compare what a backend lists with the index, and correct the index",
  examples: [
    "thermocline import inventory archive",
    "thermocline import inventory archive --dry-run --detailed-exitcode",
  ],
  setup: (command) =>
    command
      .argument("<backend>", "name of the backend")
      .option("-n, --dry-run", "say what differs, change nothing")
      .option("--restart", "begin anew, although an inventory was interrupted")
      .option("--detailed-exitcode", "2 when something differs"),
  run: (context, [backend], options) => inventoryCommand(context, { backend }, options),
});
