import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { inventoryCommand } from "#cli/inventory-command.ts";

export default defineCommand({
  name: "import-s3-inventory",
  words: ["import", "s3-inventory"],
  summary: "compare an S3 Inventory with the index instead of listing the bucket",
  examples: [
    "thermocline import s3-inventory inventory/2026-11-21T01-00Z/manifest.json --backend far",
  ],
  setup: (command) =>
    command
      .argument("<manifest>", "the manifest.json, with its files, on the controller's machine")
      .requiredOption("--backend <name>", "the backend whose bucket it lists")
      .option("-n, --dry-run", "say what differs, change nothing")
      .option("--restart", "begin anew, although an inventory was interrupted")
      .option("--detailed-exitcode", "2 when something differs"),
  run: (context, [manifest], { backend, ...options }) => {
    const s3Inventory = resolve(context.io.cwd, manifest);
    return inventoryCommand(context, { backend, s3Inventory }, options);
  },
});
