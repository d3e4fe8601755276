import { defineCommand } from "#cli/command.ts";
import { formatPauses } from "#cli/output/format-control.ts";

export default defineCommand({
  name: "pauses",
  summary: "list what is paused: by whom, since when, why, until when",
  examples: ["thermocline pauses"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const pauses = await api.pauses();
    context.print(() => formatPauses(pauses, context.io.clock.now()), { pauses });
  },
});
