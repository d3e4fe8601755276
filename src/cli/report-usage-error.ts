import type { CommanderError, CommandUnknownOpts } from "@commander-js/extra-typings";
import { nearestMatch } from "#model/nearest-match.ts";
import type { CommandIo } from "#cli/command-io.ts";

const usageExitCode = 64;
const jsonOption = /(?:^| )(?:-o ?|--output[ =])json(?: |$)/;

/** Says what is wrong with a command line, and where its words are explained. */
export function reportUsageError(
  error: CommanderError,
  argv: readonly string[],
  command: CommandUnknownOpts,
  io: CommandIo,
): number {
  if (error.exitCode === 0) return 0;
  const { message, hint } = describe(error, command);
  // Whoever types nothing but the name of the program asks what there is.
  if (argv.length > 0) io.stderr.write(`error: ${message}\nhint: ${hint}\n`);
  if (jsonOption.test(argv.join(" ")) || io.env["THERMOCLINE_OUTPUT"] === "json") {
    const line = { schemaVersion: 1, type: "exit_error", code: usageExitCode, error: "USAGE" };
    io.stderr.write(`${JSON.stringify({ ...line, message, hint })}\n`);
  }
  return usageExitCode;
}

function describe(
  { code, message }: CommanderError,
  command: CommandUnknownOpts,
): { readonly message: string; readonly hint: string } {
  const words = wordsOf(command);
  const help = `\`${words} --help\` lists what it takes`;
  const text = message.replace(/^error: /, "");
  const [, suggestion] = /\n\((Did you mean .*\?)\)$/s.exec(text) ?? [];
  const bare = text.replace(/\n\(Did you mean .*\?\)$/s, "");
  if (code === "commander.help") {
    return {
      message: `${words} is followed by a command`,
      hint: `those above, such as ${words} ${command.commands[0]?.name() ?? "help"}`,
    };
  }
  if (code === "commander.unknownOption") {
    // Other programs have it, and `--reason` would be suggested.
    if (bare.includes("'--json'")) return { message: bare, hint: `write -o json; ${help}` };
    const isBeforeCommand = command.parent === null;
    const place = "options of a command stand behind it: thermocline COMMAND [options]";
    return { message: bare, hint: isBeforeCommand ? place : suggested(suggestion, help) };
  }
  const [name] = command.args;
  if (code === "commander.excessArguments" && command.commands.length > 0 && name !== undefined) {
    const names = command.commands.map((one) => one.name());
    const nearest = nearestMatch(name, names);
    const meant = nearest === undefined ? undefined : `Did you mean ${nearest}?`;
    return { message: `unknown command '${name}' of ${words}`, hint: suggested(meant, help) };
  }
  return { message: bare, hint: suggested(suggestion, help) };
}

function suggested(suggestion: string | undefined, help: string): string {
  return suggestion === undefined ? help : `${suggestion} ${help}`;
}

function wordsOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
