import { decideCommand } from "#cli/decide-command.ts";

export default decideCommand("approve");
