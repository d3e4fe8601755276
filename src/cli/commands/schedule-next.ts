import { defineCommand } from "#cli/command.ts";
import { formatUpcoming } from "#cli/output/format-schedules.ts";
import { positiveInteger } from "#cli/positive-integer.ts";

export default defineCommand({
  name: "schedule-next",
  words: ["schedule", "next"],
  summary: "show the next starts of a policy, with changes of the clocks and closed windows",
  examples: ["thermocline schedule next cool-down -n 30"],
  setup: (command) =>
    command
      .argument("<policy>", "name of the policy")
      .option("-n, --count <number>", "how many", positiveInteger, 10),
  async run(context, [policy], { count }) {
    const { api } = await context.connect();
    const starts = await api.upcomingStarts(policy, count);
    context.print(() => formatUpcoming(starts), { policy, starts });
  },
});
