import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { globalOptions } from "#cli/global-options.ts";

/** A command line as commander reads it, and the command that it names, as far as it does. */
export interface PlacedOptions {
  readonly argv: readonly string[];
  readonly command: CommandUnknownOpts;
  /** Help is asked for with a word that names no command of its group. */
  readonly unknown?: string;
}

const helpOptions: ReadonlySet<string> = new Set(["-h", "--help"]);

/**
 * Global options may stand before the command and within it (`thermocline -c x runs -q ls`): they
 * are put behind it, where the command itself checks them. What else stands there is left. `help
 * index query` is read as `index query --help`.
 */
export function optionsBehindCommand(
  program: CommandUnknownOpts,
  argv: readonly string[],
): PlacedOptions {
  const words: string[] = [];
  const options: string[] = [];
  const rest = [...argv];
  let command = program;
  let asksHelp = false;
  while (command.commands.length > 0) {
    const length = optionLength(rest, command);
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (length > 0) options.push(...rest.splice(0, length));
    else if (next === undefined && rest[0] === "help") asksHelp = rest.shift() !== undefined;
    else if (next === undefined) break;
    else words.push(...rest.splice(0, 1));
    command = next ?? command;
  }
  const [word = "-"] = rest;
  const isUnknown = command.commands.length > 0 && !word.startsWith("-");
  if (isUnknown && (asksHelp || rest.some((one) => helpOptions.has(one)))) {
    return { argv, command, unknown: word };
  }
  if (asksHelp) return { argv: [...words, "--help"], command };
  // Where no command is named there is none that could take them.
  if (command === program) return { argv: rest, command };
  return { argv: [...words, ...options, ...rest], command };
}

/** How many of the first words are a global option and its value; 0 when they are none. */
function optionLength(
  [first = "", second]: readonly string[],
  command: CommandUnknownOpts,
): number {
  const option = globalOptions(command).find((one) => isNamedBy(one, first));
  if (option === undefined) return 0;
  const isBare = first === option.long || first === option.short;
  return isBare && !option.isBoolean() && second !== undefined ? 2 : 1;
}

/** `--output=json` and `-ojson` name an option with its value. */
function isNamedBy({ long, short }: Option, word: string): boolean {
  if (word.startsWith("--")) return word === long || word.startsWith(`${long}=`);
  return short !== undefined && word.startsWith(short);
}
