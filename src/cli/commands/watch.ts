import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import { followRun } from "#cli/follow-run.ts";

export default defineCommand({
  name: "watch",
  summary: "show a run until it ends; its exit code is the run's",
  examples: ["thermocline watch run-7"],
  setup: (command) => command.argument("<run>", "id of the run, see `thermocline runs`"),
  async run(context, [id]) {
    const connection = await context.connect();
    const run = await connection.api.run(id);
    if (connection.where === "process" && run.endedAt === undefined) {
      // Watching must not begin to work, and without a controller nothing else does.
      throw new EngineError("UNAVAILABLE", `no controller is running, so ${run.id} stands still`, {
        hint: `start one with \`thermocline up\`, or go on here: thermocline resume ${run.id}`,
      });
    }
    return followRun(context, connection, run);
  },
});
