import { reportCommand } from "#cli/report-command.ts";

export default reportCommand("usage", "what is stored where: objects, copies, bytes", [
  "thermocline report usage --by backend",
  "thermocline report usage --by owner -o usage.parquet",
]);
