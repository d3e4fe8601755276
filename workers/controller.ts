// Runs a controller, for process supervisors that start a file rather than a command.
import { runProcess } from "#cli/run-process.ts";

await runProcess(["controller", ...process.argv.slice(2)]);
