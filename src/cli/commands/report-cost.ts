import { reportCommand } from "#cli/report-command.ts";

export default reportCommand("cost", "what keeping it costs a month, and reading it once", [
  "thermocline report cost --by owner -o csv",
]);
