import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "schedule-disable",
  words: ["schedule", "disable"],
  summary: "stop a schedule for a while: nothing starts, and nothing is caught up",
  setup: (command) =>
    command
      .argument("<policy>", "name of the policy")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [policy], { reason }) {
    const { api } = await context.connect();
    await api.setScheduleEnabled(policy, false, reason);
    context.print(`the schedule of ${policy} is disabled\n`, { policy, enabled: false });
  },
});
