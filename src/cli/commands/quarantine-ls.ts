import { defineCommand } from "#cli/command.ts";
import { failuresShown, listFailures } from "#cli/list-failures.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { wholeNumber } from "#cli/whole-number.ts";

export default defineCommand({
  name: "quarantine-ls",
  words: ["quarantine", "ls"],
  isDefault: true,
  summary: "list what plans leave out because it failed too often for one cause",
  examples: ["thermocline quarantine ls --cause CORRUPT"],
  setup: (command) =>
    command
      .option("--policy <name>", "what this policy wanted")
      .option("--backend <name>", "what failed on this backend")
      .option("--cause <code>", "with this error code (docs/errors.md)")
      .option("--object <object>", "about one object: CID, path or number")
      .option("--where <expression>", "about these objects, in the language of policies")
      .option("--offset <n>", "leave out so many", wholeNumber, 0)
      .option("--limit <n>", "show so many", positiveInteger, failuresShown),
  run: (context, _args, options) => listFailures(context, options, true),
});
