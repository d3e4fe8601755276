import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "suspensions-release",
  words: ["suspensions", "release"],
  summary: "let a suspended policy go on; its outcomes are counted anew",
  examples: [`thermocline suspensions release cool-down --reason "bucket policy corrected"`],
  setup: (command) =>
    command
      .argument("<policy>", "name of the policy, see `thermocline suspensions`")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [policy], { reason }) {
    const { api } = await context.connect();
    await api.releaseSuspension(policy, reason);
    context.print(`policy ${policy} goes on\n`, { policy, released: true });
  },
});
