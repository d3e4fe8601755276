import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import { type Acting, actAs } from "#model/acting.ts";
import { loadRegistryFolder } from "#model/registry-folder.ts";
import { buildProgram } from "#cli/build-program.ts";
import type { Invocation } from "#cli/build-program.ts";
import type { CommandDefinition } from "#cli/command.ts";
import { commandEnvironment } from "#cli/command-environment.ts";
import type { CommandEnvironment } from "#cli/command-environment.ts";
import type { CommandIo } from "#cli/command-io.ts";
import type { Engines } from "#cli/engines.ts";
import { optionsBehindCommand } from "#cli/options-behind-command.ts";
import { reportError } from "#cli/report-error.ts";
import { reportUsageError } from "#cli/report-usage-error.ts";
import { readVersion } from "#cli/version.ts";

const usageExitCode = 64;
const interruptedExitCode = 130;
const stopGraceMs = 3_000;

/** Runs one command line and gives its exit code. Nothing is thrown, nothing exits. */
export async function runCommandLine(
  argv: readonly string[],
  io: CommandIo,
  engines: Engines,
): Promise<number> {
  const version = await readVersion();
  const commands = await loadRegistryFolder<CommandDefinition>(
    new URL("./commands/", import.meta.url),
  );
  let invocation: Invocation | undefined;
  const program = buildProgram(commands.values(), io, version, (chosen) => {
    invocation = chosen;
    return Promise.resolve();
  });
  const placed = optionsBehindCommand(program, argv);
  try {
    if (placed.unknown !== undefined) refuseHelp(placed.unknown, placed.command);
    await program.parseAsync([...placed.argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return reportUsageError(error, argv, placed.command, io);
    throw error;
  }
  if (invocation === undefined) return usageExitCode;
  return runCommand(invocation, argv, version, io, engines);
}

/** Commander would answer with the help of the group, as if nothing were wrong. */
function refuseHelp(word: string, group: CommandUnknownOpts): never {
  group.error(`error: unknown command '${word}'`, { code: "commander.unknownCommand" });
}

async function runCommand(
  { command, args, options }: Invocation,
  argv: readonly string[],
  version: string,
  io: CommandIo,
  engines: Engines,
): Promise<number> {
  const environment = commandEnvironment(io, options, engines);
  const report = (error: unknown): Promise<number> => {
    const config = environment.loadedConfig();
    const isJson = options["output"] === "json";
    const color = environment.context.color.stderr;
    const reports =
      config === undefined
        ? join(tmpdir(), "thermocline")
        : dataPaths(config.dataDirectory).reports;
    return reportError(error, io, { isJson, color, version, argv, reports });
  };
  let code: number;
  try {
    const running = actAs(actingFor(io, options), () =>
      command.run(environment.context, args, options),
    );
    code = (await (command.staysUp === true ? running : endSoon(running, io))) ?? 0;
    if (options["output"] === "json") sayFailure(code, io);
  } catch (error) {
    code = await report(error);
  }
  return closeEnvironment(environment, code, report);
}

/** The person at the keyboard, by the name their machine knows them under. */
function actingFor(io: CommandIo, options: Invocation["options"]): Acting {
  const { reason } = options;
  return {
    actor: `${io.user}@${io.hostname}`,
    reason: typeof reason === "string" ? reason : undefined,
  };
}

/** Codes that a command gives without an error being thrown, for programs that read JSON. */
const failures: Readonly<Record<number, string>> = {
  1: "it failed, or something was found that should not be",
  3: "some objects failed, the rest is done",
  6: "a guard refuses the plan",
  130: "interrupted",
};

function sayFailure(code: number, io: CommandIo): void {
  const message = failures[code];
  if (message === undefined) return;
  io.stderr.write(`${JSON.stringify({ schemaVersion: 1, type: "exit_error", code, message })}\n`);
}

/** A command that was told to stop gets a moment to say where things stand, then is left. */
async function endSoon(running: Promise<number | void>, io: CommandIo): Promise<number | void> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => resolve(interruptedExitCode), stopGraceMs);
  };
  if (io.signal.aborted) onAbort();
  else io.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([running, promise]);
  } finally {
    io.signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
}

/** What fails while closing is said; it decides the exit code only where all was well before. */
async function closeEnvironment(
  environment: CommandEnvironment,
  code: number,
  report: (error: unknown) => Promise<number>,
): Promise<number> {
  try {
    await environment.close();
    return code;
  } catch (error) {
    const closing = await report(error);
    return code === 0 ? closing : code;
  }
}
