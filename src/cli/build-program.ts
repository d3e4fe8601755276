import { Command } from "@commander-js/extra-typings";
import type { OptionValues } from "@commander-js/extra-typings";
import type { CommandDefinition } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { globalOptions } from "#cli/global-options.ts";

/** What was chosen on the command line: a command, its arguments and all its options. */
export interface Invocation {
  readonly command: CommandDefinition;
  readonly args: readonly unknown[];
  readonly options: OptionValues;
}

/**
 * The commands as a commander program. `run` is called for the chosen one; wrong usage and
 * help end in a CommanderError.
 */
export function buildProgram(
  commands: Iterable<CommandDefinition>,
  io: CommandIo,
  version: string,
  run: (invocation: Invocation) => Promise<void>,
): Command {
  const program = prepare(new Command("thermocline"), io);
  program
    .description("Keeps every copy where it should be, says why, and never gives one up unproven.")
    .version(version, "-V, --version", "print the version")
    .enablePositionalOptions()
    .helpCommand("help [command]", "say how a command is used")
    .addHelpText("after", globalOptionsHelp);
  const groups = new Map<string, Command>();
  for (const definition of commands) {
    const words = [...definition.words];
    const word = words.pop() ?? definition.name;
    const parent = words.length === 0 ? program : groupOf(program, words, groups, io);
    // `backends` lists them, and is the group of `backends gc` too, whose options are its own.
    const group = groups.get(definition.words.join(" "))?.enablePositionalOptions();
    const command = (group ?? prepare(new Command(word), io)).summary(definition.summary);
    command.description(definition.summary);
    const complete = definition.setup(command);
    for (const option of globalOptions(complete)) complete.addOption(option);
    complete.addHelpText("after", `\nExamples:\n${indented(definition.examples)}`);
    complete.action(async () => {
      const args: readonly unknown[] = complete.processedArgs;
      await run({ command: definition, args, options: complete.opts() });
    });
    if (group !== undefined) continue;
    parent.addCommand(complete, { isDefault: definition.isDefault ?? false });
    groups.set(definition.words.join(" "), command);
  }
  return program;
}

const globalOptionsHelp = `
Options of all commands, before or behind the command:
  -c FILE      the configuration          -o json  the answer for programs
  -q           no remarks                 --data DIRECTORY, --api-url ADDRESS, …

thermocline COMMAND --help shows all of them, and examples.`;

function groupOf(
  program: Command,
  words: readonly string[],
  groups: Map<string, Command>,
  io: CommandIo,
): Command {
  const name = words.join(" ");
  const known = groups.get(name);
  if (known !== undefined) return known;
  const outer = words.slice(0, -1);
  const parent = outer.length === 0 ? program : groupOf(program, outer, groups, io);
  const word = words.at(-1) ?? name;
  const summary = groupSummaries[name] ?? word;
  const group = prepare(new Command(word), io).summary(summary).description(summary);
  groups.set(name, group);
  parent.addCommand(group);
  return group;
}

const groupSummaries: Readonly<Record<string, string>> = {
  audit: "ask the ledger what happened, and check it",
  batch: "hand rows to other programs as Arrow files named by CID",
  config: "look at the configuration",
  failures: "list what failed, by cause, with the remedy",
  import: "bring content, inventories and access logs into the index",
  index: "ask the index with SQL, and keep snapshots of it",
  "index snapshot": "write the index as files named by CID; list, compare and restore them",
  limits: "show and change how hard backends may be worked",
  objects: "list objects, show one, take files in and write them out",
  report: "figures of what is stored: usage, heat, copies, cost, age",
  quarantine: "what plans leave out because it failed too often, and its release",
  runs: "list runs, show one",
  suspensions: "policies that stopped because too much failed, and their release",
  schedule: "what starts policies by itself: look at it, start it now, stop it for a while",
};

function prepare(command: Command, io: CommandIo): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // What is wrong with the words is said once, by `reportUsageError`.
      outputError: () => undefined,
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function indented(examples: readonly string[]): string {
  return examples.map((example) => `  ${example}`).join("\n");
}
