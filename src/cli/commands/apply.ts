import type { EngineApi, PlanRequest } from "#model/engine-api.ts";
import { termsText } from "#model/approval.ts";
import { guards, type SavedPlan } from "#model/plan.ts";
import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import type { CommandContext } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatPlan } from "#cli/output/format-plan.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { costLimit, limitsOf, objectsLimit, sizeOption } from "#cli/plan-limit-options.ts";
import { counted } from "#cli/output/words.ts";
import { variableOption, variablesOf } from "#cli/variable-option.ts";
import { readPlanFile } from "#cli/read-plan-file.ts";

const noopExitCode = 9;
const waitingExitCode = 7;

export default defineCommand({
  name: "apply",
  summary: "plan, show the plan, ask, and carry it out",
  examples: ["thermocline apply", "thermocline apply --plan monday.plan.json --yes"],
  setup: (command) =>
    command
      .option("--plan <file>", "carry out this saved plan, if it still fits")
      .option("--only <what>", "look only at these objects: an expression, a CID or a path")
      .option("--limit-objects <n>", "act on so many objects at most: 1000, 100k, 5%", objectsLimit)
      .option("--limit-bytes <size>", "act on so many bytes at most: 5TiB", sizeOption)
      .option(
        "--limit-cost <usd>",
        "pay so much at most, by the price cards: 50, 50/month",
        costLimit,
      )
      .addOption(variableOption())
      .option("-y, --yes", "do not ask")
      .option("--override <guard...>", `let a guard pass: ${guards.join(", ")}`)
      .option("--allow-subset", "of a saved plan, carry out what still fits")
      .option("--no-wait", "start the run and leave it to the controller")
      .option("--error-on-noop", "exit with 9 when there is nothing to do"),
  async run(context, _args, options) {
    const connection = await context.connect();
    if (!options.wait && connection.where === "process") {
      throw new EngineError("USAGE", "--no-wait needs a controller that goes on with the run", {
        hint: "start one with `thermocline up`, or leave --no-wait away",
      });
    }
    const { api } = connection;
    const override = checkedOverrides(options.override ?? []);
    const only = options.only === undefined ? {} : { only: options.only };
    const asked = { ...limitsOf(options), ...variablesOf(options), ...only };
    const plan = await choosePlan(context, api, options.plan, asked);
    context.io.stderr.write(formatPlan(plan));
    if (plan.header.totals.actions === 0) {
      context.print("nothing to do\n", { plan: plan.cid, run: null });
      return options.errorOnNoop === true ? noopExitCode : 0;
    }
    refuseFailedGuards(plan, override);
    if (options.yes !== true && !(await confirm(context.io, '\napply? (only "yes" applies) '))) {
      throw new EngineError("DECLINED", "nothing was applied");
    }
    const run = await api.apply({
      ...(options.plan === undefined
        ? { expectCid: plan.cid, at: plan.evaluatedAt, ...asked }
        : { planFile: options.plan }),
      ...(override.length === 0 ? {} : { override }),
      ...(options.allowSubset === true ? { allowSubset: true } : {}),
    });
    if (planned(plan) > run.progress.actions && options.allowSubset === true) {
      const left = planned(plan) - run.progress.actions;
      context.note(`left out: ${counted(left, "action")} no longer wanted, or not possible now`);
    }
    if (run.state === "awaiting-approval") {
      context.note(`plan ${run.planCid} waits for ${termsText(plan.header.approvals ?? [])}`);
      context.note(`approve it with: thermocline approve ${run.id} --reason …`);
      // Without a controller nobody else could reach the index while this command waits.
      if (!options.wait || connection.where === "process") {
        context.print(() => formatRun(run, context.io.clock.now()), { run });
        return waitingExitCode;
      }
    }
    if (options.wait) return followRun(context, connection, run);
    context.print(() => formatRun(run, context.io.clock.now()), { run });
    return 0;
  },
});

function planned({ header }: SavedPlan): number {
  return header.totals.actions;
}

async function choosePlan(
  context: CommandContext,
  api: EngineApi,
  file: string | undefined,
  asked: Pick<PlanRequest, "limits" | "only" | "variables">,
): Promise<SavedPlan> {
  if (file === undefined) return (await api.plan(asked)).plan;
  if (Object.keys(asked).length === 0) return readPlanFile(file, context.io.cwd);
  throw new EngineError("USAGE", "a saved plan has its limits, objects and variables already", {
    hint: "give limits, --only and --var to `thermocline plan --out`",
  });
}

function checkedOverrides(words: readonly string[]): readonly string[] {
  const known: readonly string[] = guards;
  for (const word of words) {
    if (known.includes(word)) continue;
    throw new EngineError("USAGE", `there is no guard "${word}"`, {
      hint: `guards are ${guards.join(", ")}`,
    });
  }
  return words;
}

/** Said before anybody is asked: the engine would refuse after the answer. */
function refuseFailedGuards(plan: SavedPlan, override: readonly string[]): void {
  const failed = plan.header.guards.filter(
    ({ passed, guard, override: flag }) =>
      !passed && (flag === undefined || !override.includes(guard)),
  );
  const [first] = failed;
  if (first === undefined) return;
  throw new EngineError("REFUSED", `guard ${first.guard}: ${first.message}`, {
    hint:
      first.override === undefined
        ? "nothing overrides this guard: change the policies or the configuration"
        : `if it is meant: thermocline apply ${failed.map(({ guard }) => `--override ${guard}`).join(" ")}`,
    details: { guards: failed.map(({ guard }) => guard) },
  });
}
