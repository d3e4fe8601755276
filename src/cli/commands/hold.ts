import { holdCommand } from "#cli/hold-command.ts";

export default holdCommand("hold", "protect objects: no copy of them may be removed", true);
