import { defineCommand } from "#cli/command.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { EngineError } from "#model/engine-error.ts";

export default defineCommand({
  name: "schedule-run",
  words: ["schedule", "run"],
  summary: "evaluate and apply one policy now, as its schedule would",
  examples: ["thermocline schedule run cool-down"],
  setup: (command) =>
    command
      .argument("<policy>", "name of the policy")
      .option("--no-wait", "start the run and leave it to the controller"),
  async run(context, [policy], { wait }) {
    const connection = await context.connect();
    if (!wait && connection.where === "process") {
      throw new EngineError("USAGE", "--no-wait needs a controller that goes on with the run", {
        hint: "start one with `thermocline up`, or leave --no-wait away",
      });
    }
    const firing = await connection.api.runSchedule(policy);
    const { outcome, message, runId } = firing;
    if (runId === undefined) {
      if (outcome === "refused") throw new EngineError("REFUSED", message ?? "a guard refused it");
      if (outcome === "failed") throw new EngineError("CONFLICT", message ?? "it failed");
      context.print("nothing to do\n", { firing, run: null });
      return 0;
    }
    const run = await connection.api.run(runId);
    if (wait) return followRun(context, connection, run);
    context.print(() => formatRun(run, context.io.clock.now()), { firing, run });
    return 0;
  },
});
