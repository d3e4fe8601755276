import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { inventoryCommand } from "#cli/inventory-command.ts";
import { isBucketUrl } from "#model/bucket-url.ts";

export default defineCommand({
  name: "import-s3-inventory",
  words: ["import", "s3-inventory"],
  summary: "compare an S3 Inventory with the index instead of listing the bucket",
  examples: [
    "thermocline import s3-inventory s3://reports/far/daily --backend far",
    "thermocline import s3-inventory inventory/2026-11-21T01-00Z/manifest.json --backend far",
  ],
  setup: (command) =>
    command
      .argument("<manifest>", "s3://BUCKET/FOLDER (the newest) or a manifest.json, there or here")
      .requiredOption("--backend <name>", "the backend whose bucket it lists")
      .option("-n, --dry-run", "say what differs, change nothing")
      .option("--restart", "begin anew, although an inventory was interrupted")
      .option("--detailed-exitcode", "2 when something differs"),
  run: (context, [manifest], { backend, ...options }) => {
    const s3Inventory = isBucketUrl(manifest) ? manifest : resolve(context.io.cwd, manifest);
    return inventoryCommand(context, { backend, s3Inventory }, options);
  },
});
