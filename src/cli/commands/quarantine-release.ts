import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import { failureFilter } from "#cli/failure-options.ts";
import { counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "quarantine-release",
  words: ["quarantine", "release"],
  summary: "let plans try again what was left out",
  examples: [
    `thermocline quarantine release /a/b.csv --reason "rights corrected"`,
    `thermocline quarantine release --cause FORBIDDEN --reason "rights corrected"`,
  ],
  setup: (command) =>
    command
      .argument("[object]", "CID, path or object number")
      .option("--cause <code>", "all that failed with this error code")
      .option("--policy <name>", "all that this policy wanted")
      .option("--backend <name>", "all that failed on this backend")
      .option("--where <expression>", "all about the objects that it selects")
      .option("--all", "everything")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [object], { reason, all, ...options }) {
    const filter = failureFilter({ ...options, object });
    if ((Object.keys(filter).length === 0) === (all !== true)) {
      throw new EngineError("USAGE", "say what is released", {
        hint: "name an object, --cause, --policy, --backend or --where; or --all, alone",
      });
    }
    const { api } = await context.connect();
    const report = await api.releaseQuarantine(filter, reason);
    context.print(`${counted(report.released, "action")} released: plans try them again\n`, {
      ...report,
    });
  },
});
