import { targetWords } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import { controlTarget } from "#cli/control-target.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatPauses, workWords } from "#cli/output/format-control.ts";
import { formatRun } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "resume",
  summary: "go on with what was paused or interrupted",
  examples: ["thermocline resume run-3", "thermocline resume --policy cool-down"],
  setup: (command) =>
    command
      .argument("[run]", "id of the run, see `thermocline runs`")
      .option("--policy <name>", "end the pause of a policy")
      .option("--backend <name>", "end the pause of a backend")
      .option("--node <name>", "end the pause of a node")
      .option("--all", "end the pause of everything; other pauses stay")
      .option("--reason <text>", "why; it is kept in the ledger")
      .option("--no-wait", "leave a run to the controller"),
  async run(context, [id], options) {
    const target = controlTarget(id, options);
    const connection = await context.connect();
    if (target.scope === "run" && !options.wait && connection.where === "process") {
      throw new EngineError("USAGE", "--no-wait needs a controller that goes on with the run", {
        hint: "start one with `thermocline up`, or leave --no-wait away",
      });
    }
    const reason = options.reason ?? "";
    const report = await connection.api.control({ verb: "resume", ...target, reason });
    if (report.notice !== undefined) context.note(report.notice);
    const now = context.io.clock.now();
    if (target.scope !== "run") {
      context.print(
        () =>
          `${targetWords(target)} goes on: ${workWords(report.work)}\n` +
          formatPauses(report.pauses, now),
        { ...report },
      );
      return 0;
    }
    const run = await connection.api.run(target.name);
    if (options.wait) return followRun(context, connection, run);
    context.print(() => formatRun(run, now), { run });
    return 0;
  },
});
