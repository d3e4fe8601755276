import { processIo } from "#cli/process-io.ts";
import { runCommandLine } from "#cli/run-command-line.ts";
import { startEngines } from "#cli/start-engines.ts";

/** Runs one command line as this process, to its end. */
export async function runProcess(argv: readonly string[]): Promise<never> {
  const io = processIo();
  const code = await runCommandLine(argv, io, startEngines);
  await Promise.all([io.stdout.drain(), io.stderr.drain()]);
  process.exit(io.signal.reason === "EPIPE" ? 0 : code);
}
