// Runs a controller, for process supervisors that start a file rather than a command.
import { keepCompiledModules } from "#cli/keep-compiled-modules.ts";

keepCompiledModules();
const { runProcess } = await import("#cli/run-process.ts");
await runProcess(["controller", ...process.argv.slice(2)]);
