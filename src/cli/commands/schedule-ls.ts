import { defineCommand } from "#cli/command.ts";
import { formatSchedules } from "#cli/output/format-schedules.ts";

export default defineCommand({
  name: "schedule-ls",
  words: ["schedule", "ls"],
  isDefault: true,
  summary: "list what starts policies by itself, and whether their windows are open",
  examples: ["thermocline schedule ls"],
  setup: (command) => command,
  async run(context) {
    const { api, where } = await context.connect();
    const schedules = await api.schedules();
    const idle = where === "process" && schedules.length > 0 ? nobodyStarts : "";
    context.print(() => formatSchedules(schedules, context.io.clock.now()) + idle, { schedules });
  },
});

const nobodyStarts = "\nno controller is running: nothing starts by itself until one does\n";
