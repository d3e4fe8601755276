import { leftOutReasons } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import { defineCommand } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { failureFilter } from "#cli/failure-options.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatPlan } from "#cli/output/format-plan.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { count, counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "retry",
  summary: "try failed and cancelled actions again, as far as they are still wanted",
  examples: ["thermocline retry run-3", "thermocline retry --cause UNAVAILABLE --backend s3-eu"],
  setup: (command) =>
    command
      .argument("[run]", "those of this run, see `thermocline runs`")
      .option("--cause <code>", "those that failed with this error code")
      .option("--policy <name>", "those that this policy wanted")
      .option("--backend <name>", "those that act on this backend")
      .option("--where <expression>", "those about the objects that it selects")
      .option("--override <guard...>", "let a guard pass, as in `apply`")
      .option("-y, --yes", "do not ask")
      .option("-n, --dry-run", "say what would be tried, and start nothing")
      .option("--no-wait", "start the run and leave it to the controller"),
  async run(context, [run], { yes, dryRun, wait, override, ...filter }) {
    const connection = await context.connect();
    const { api } = connection;
    const request = {
      ...failureFilter({ ...filter, run }),
      ...(override === undefined ? {} : { override }),
    };
    const preview = await api.retry({ ...request, dryRun: true });
    const { failed, plan, leftOut } = preview;
    context.io.stderr.write(
      `${counted(failed.actions, "action")}, ${formatSize(failed.bytes)}, failed or cancelled; ` +
        `${count(failed.underWay)} are under way again, ` +
        `${count(plan.header.totals.actions)} are still wanted\n`,
    );
    for (const { reason, actions } of leftOut) {
      context.io.stderr.write(`  ${count(actions)} ${leftOutReasons[reason]}\n`);
    }
    if (plan.header.totals.actions > 0) context.io.stderr.write(formatPlan(plan));
    if (dryRun === true || plan.header.totals.actions === 0) {
      return context.print("nothing was started\n", { ...preview });
    }
    if (yes !== true && !(await confirm(context.io, '\ntry again? (only "yes" does) '))) {
      throw new EngineError("DECLINED", "nothing was tried again");
    }
    const agreed = { expectCid: plan.cid, at: plan.evaluatedAt };
    const report = await api.retry({ ...request, ...agreed });
    if (report.run === undefined) return context.print("nothing was started\n", { ...report });
    if (wait || connection.where === "process") return followRun(context, connection, report.run);
    const started = report.run;
    context.print(() => formatRun(started, context.io.clock.now()), { run: started });
    return 0;
  },
});
