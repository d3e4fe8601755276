// Runs a worker, for process supervisors that start a file rather than a command.
import { runProcess } from "#cli/run-process.ts";

await runProcess(["worker", ...process.argv.slice(2)]);
