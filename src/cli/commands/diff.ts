import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { formatPlanDiff } from "#cli/output/format-plan-diff.ts";
import { wholeNumber } from "#cli/whole-number.ts";
import type { PlanSide } from "#model/plan-diff.ts";

/** Differences are exit code 2, but only where somebody asked for it. */
const differencesExitCode = 2;

export default defineCommand({
  name: "diff",
  summary: "say what a second plan does differently: by rule, with counts and samples",
  examples: [
    "thermocline diff monday.plan.json today.plan.json",
    "thermocline diff --policies old/ policies/ --detailed-exitcode",
  ],
  setup: (command) =>
    command
      .argument("<from>", "a saved plan, or with --policies a policy file or directory")
      .argument("<to>", "the same")
      .option("--policies", "plan both versions of the policies on the index of now, and compare")
      .option("--at <time>", "evaluate both as if it were this time (ISO 8601)")
      .option("--samples <n>", "objects shown for each difference of a rule", wholeNumber)
      .option("--detailed-exitcode", "exit with 2 when they differ"),
  async run(context, [from, to], { policies, at, samples, detailedExitcode }) {
    const { api } = await context.connect();
    const side = (words: string): PlanSide => {
      const path = resolve(context.io.cwd, words);
      return policies === true ? { policies: [path] } : { planFile: path };
    };
    const diff = await api.diffPlans({
      from: side(from),
      to: side(to),
      ...(at === undefined ? {} : { at }),
      ...(samples === undefined ? {} : { samples }),
    });
    context.print(() => formatPlanDiff(diff), { ...diff });
    return detailedExitcode === true && diff.rules.length > 0 ? differencesExitCode : 0;
  },
});
