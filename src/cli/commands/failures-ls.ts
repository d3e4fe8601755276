import { defineCommand } from "#cli/command.ts";
import { failuresShown, listFailures } from "#cli/list-failures.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { wholeNumber } from "#cli/whole-number.ts";

export default defineCommand({
  name: "failures-ls",
  words: ["failures", "ls"],
  isDefault: true,
  summary: "list what failed and did not succeed since, by cause, with the remedy",
  examples: ["thermocline failures", "thermocline failures ls --backend cold --cause CORRUPT"],
  setup: (command) =>
    command
      .option("--run <id>", "what failed in this run last")
      .option("--policy <name>", "what this policy wanted")
      .option("--backend <name>", "what failed on this backend")
      .option("--cause <code>", "with this error code (docs/errors.md)")
      .option("--object <object>", "about one object: CID, path or number")
      .option("--where <expression>", "about these objects, in the language of policies")
      .option("--offset <n>", "leave out so many", wholeNumber, 0)
      .option("--limit <n>", "show so many", positiveInteger, failuresShown),
  run: (context, _args, options) => listFailures(context, options, false),
});
