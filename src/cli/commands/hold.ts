import { defineCommand } from "#cli/command.ts";
import { holdObjects } from "#cli/hold-objects.ts";

export default defineCommand({
  name: "hold",
  summary: "protect objects: no copy of them may be removed",
  examples: [
    `thermocline hold /datasets/2024/january.csv --reason "case 17"`,
    `thermocline hold --where 'collection = "trial"' --reason "case 17"`,
  ],
  setup: (command) =>
    command
      .argument("[object]", "CID, path or object number")
      .option("--where <expression>", "every object that it selects")
      .requiredOption("--reason <text>", "why; it is kept in the ledger")
      .option("-y, --yes", "do not ask")
      .option("-n, --dry-run", "say how many objects match, and change nothing"),
  run: (context, [reference], options) => holdObjects(context, reference, true, options),
});
