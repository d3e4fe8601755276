import { holdCommand } from "#cli/hold-command.ts";

export default holdCommand("release", "end the protection of held objects", false);
