import { defineCommand } from "#cli/command.ts";
import { formatRun } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "cancel",
  summary: "end a run; what it did stays done",
  setup: (command) => command.argument("<run>", "id of the run, see `thermocline runs`"),
  async run(context, [id]) {
    const { api } = await context.connect();
    const run = await api.controlRun(id, "cancel");
    context.print(() => formatRun(run, context.io.clock.now()), { run });
  },
});
