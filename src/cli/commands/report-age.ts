import { reportCommand } from "#cli/report-command.ts";

export default reportCommand("age", "how old it is, in objects and bytes", [
  "thermocline report age --by collection --chart",
]);
