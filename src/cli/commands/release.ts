import { defineCommand } from "#cli/command.ts";
import { holdObjects } from "#cli/hold-objects.ts";

export default defineCommand({
  name: "release",
  summary: "end the protection of held objects",
  examples: [
    `thermocline release /datasets/2024/january.csv --reason "case 17"`,
    `thermocline release --where 'collection = "trial"' --reason "case 17"`,
  ],
  setup: (command) =>
    command
      .argument("[object]", "CID, path or object number")
      .option("--where <expression>", "every object that it selects")
      .requiredOption("--reason <text>", "why; it is kept in the ledger")
      .option("-y, --yes", "do not ask")
      .option("-n, --dry-run", "say how many objects match, and change nothing"),
  run: (context, [reference], options) => holdObjects(context, reference, false, options),
});
