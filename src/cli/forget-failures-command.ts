import { EngineError } from "#model/engine-error.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { FailureFilter } from "#model/failure.ts";
import { defineCommand } from "#cli/command.ts";
import { failureFilter } from "#cli/failure-options.ts";
import { counted } from "#cli/output/words.ts";

/** What two commands differ in that take failures off the list. */
interface Forgetting {
  readonly words: readonly [string, string];
  readonly summary: string;
  /** A reason that somebody may give, for the examples. */
  readonly why: string;
  /** What becomes of the failures, and what that means: "released", "plans try them again". */
  readonly done: string;
  readonly consequence: string;
  readonly forget: (api: EngineApi, filter: FailureFilter, reason: string) => Promise<number>;
}

/** The command that ends quarantines, or the one that dismisses failures. */
export function forgetFailuresCommand({
  words,
  summary,
  why,
  done,
  consequence,
  forget,
}: Forgetting): ReturnType<typeof defineCommand> {
  return defineCommand({
    name: words.join("-"),
    words,
    summary,
    examples: [
      `thermocline ${words.join(" ")} /a/b.csv --reason "${why}"`,
      `thermocline ${words.join(" ")} --cause FORBIDDEN --reason "${why}"`,
    ],
    setup: (command) =>
      command
        .argument("[object]", "CID, path or object number")
        .option("--run <run>", "all that failed in this run last")
        .option("--cause <code>", "all that failed with this error code")
        .option("--policy <name>", "all that this policy wanted")
        .option("--backend <name>", "all that failed on this backend")
        .option("--where <expression>", "all about the objects that it selects")
        .option("--all", "everything")
        .requiredOption("--reason <text>", "why; it is kept in the ledger"),
    async run(context, [object], { reason, all, ...options }) {
      const filter = failureFilter({ ...options, object });
      if ((Object.keys(filter).length === 0) === (all !== true)) {
        throw new EngineError("USAGE", `say what is ${done}`, {
          hint: "name an object, --run, --cause, --policy, --backend or --where; or --all, alone",
        });
      }
      const { api } = await context.connect();
      const count = await forget(api, filter, reason);
      context.print(`${counted(count, "action")} ${done}: ${consequence}\n`, { [done]: count });
    },
  });
}
