import { defineCommand } from "#cli/command.ts";
import { formatSchedules } from "#cli/output/format-schedules.ts";

export default defineCommand({
  name: "schedule-ls",
  words: ["schedule", "ls"],
  isDefault: true,
  summary: "list what starts policies by itself, and whether their windows are open",
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const schedules = await api.schedules();
    context.print(() => formatSchedules(schedules, context.io.clock.now()), { schedules });
  },
});
