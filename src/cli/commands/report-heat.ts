import { reportCommand } from "#cli/report-command.ts";

export default reportCommand("heat", "how much is read: heat, reads, what nobody reads", [
  "thermocline report heat --by collection --chart idle_30d",
]);
