import { defineCommand } from "#cli/command.ts";
import { formatApprovals } from "#cli/output/format-approvals.ts";

export default defineCommand({
  name: "approvals",
  summary: "list plans that wait for approval",
  examples: ["thermocline approvals", "thermocline approvals --all"],
  setup: (command) => command.option("--all", "also those that are decided"),
  async run(context, _args, { all }) {
    const { api } = await context.connect();
    const known = await api.approvals();
    const approvals = all === true ? known : known.filter(({ state }) => state === "awaiting");
    context.print(() => formatApprovals(approvals, context.io.clock.now()), { approvals });
  },
});
