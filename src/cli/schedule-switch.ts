import { defineCommand } from "#cli/command.ts";

/** The command that disables a schedule, or the one that enables it. */
export function scheduleSwitch(
  word: string,
  summary: string,
  enabled: boolean,
): ReturnType<typeof defineCommand> {
  return defineCommand({
    name: `schedule-${word}`,
    words: ["schedule", word],
    summary,
    examples: [`thermocline schedule ${word} cool-down --reason "until the audit is over"`],
    setup: (command) =>
      command
        .argument("<policy>", "name of the policy")
        .requiredOption("--reason <text>", "why; it is kept in the ledger"),
    async run(context, [policy], { reason }) {
      const { api } = await context.connect();
      await api.setScheduleEnabled(policy, enabled, reason);
      context.print(`the schedule of ${policy} is ${word}d\n`, { policy, enabled });
    },
  });
}
