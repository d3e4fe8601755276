import { reportCommand } from "#cli/report-command.ts";

export default reportCommand("copies", "how many copies there are, and how sure they are", [
  `thermocline report copies --by owner --where 'tags has "legal-hold"'`,
]);
