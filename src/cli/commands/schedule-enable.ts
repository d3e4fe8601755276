import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "schedule-enable",
  words: ["schedule", "enable"],
  summary: "let a schedule start its policy again, from now on",
  setup: (command) =>
    command
      .argument("<policy>", "name of the policy")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [policy], { reason }) {
    const { api } = await context.connect();
    await api.setScheduleEnabled(policy, true, reason);
    context.print(`the schedule of ${policy} is enabled\n`, { policy, enabled: true });
  },
});
