import type { CommanderError, CommandUnknownOpts } from "@commander-js/extra-typings";
import type { CommandIo } from "#cli/command-io.ts";
import { globalOptions } from "#cli/global-options.ts";
import { suggestCommand, suggestOption } from "#cli/suggest-command.ts";

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
    const [, option = ""] = /'(.*)'/s.exec(bare) ?? [];
    const known = [...command.options, ...globalOptions(command)];
    const meant =
      suggestion ??
      suggestOption(
        option,
        known.map(({ long }) => long ?? ""),
      );
    const isBeforeCommand = command.parent === null;
    const place = "options of a command stand behind it: thermocline COMMAND [options]";
    return { message: bare, hint: suggested(meant, isBeforeCommand ? place : help) };
  }
  const name = unknownCommand(code, bare, command);
  if (name !== undefined) {
    const place = command.parent === null ? "" : ` of ${words}`;
    const meant = suggestCommand(name, command);
    return { message: `unknown command '${name}'${place}`, hint: suggested(meant, help) };
  }
  return { message: bare, hint: suggested(suggestion, help) };
}

/** The word that names no command of this group, when that is what is wrong. */
function unknownCommand(
  code: string,
  message: string,
  command: CommandUnknownOpts,
): string | undefined {
  if (code === "commander.unknownCommand") return /'(.*)'/s.exec(message)?.[1];
  // A group that is a command itself, or has a default one, takes the word for an argument.
  const isGroup = code === "commander.excessArguments" && command.commands.length > 0;
  return isGroup ? command.args[0] : undefined;
}

function suggested(suggestion: string | undefined, help: string): string {
  return suggestion === undefined ? help : `${suggestion} ${help}`;
}

function wordsOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
