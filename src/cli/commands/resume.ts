import { defineCommand } from "#cli/command.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatRun } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "resume",
  summary: "go on with a run that was paused or interrupted",
  setup: (command) =>
    command
      .argument("<run>", "id of the run, see `thermocline runs`")
      .option("--no-wait", "leave it to the controller"),
  async run(context, [id], { wait }) {
    const connection = await context.connect();
    const run = await connection.api.controlRun(id, "run");
    // Without a controller the run goes on only as long as this process lives.
    if (wait || connection.where === "process") return followRun(context, connection, run);
    context.print(() => formatRun(run, context.io.clock.now()), { run });
    return 0;
  },
});
