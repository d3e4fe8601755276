import { defineCommand } from "#cli/command.ts";
import { followRun } from "#cli/follow-run.ts";

export default defineCommand({
  name: "watch",
  summary: "show a run until it ends; its exit code is the run's",
  setup: (command) => command.argument("<run>", "id of the run, see `thermocline runs`"),
  async run(context, [id]) {
    const connection = await context.connect();
    return followRun(context, connection, await connection.api.run(id));
  },
});
