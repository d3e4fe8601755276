import { Command, Option } from "@commander-js/extra-typings";
import type { CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import { settingNames } from "#config/setting-names.ts";
import type { CommandDefinition } from "#cli/command.ts";
import { outputFormats } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { progressModes } from "#cli/output/progress-view.ts";

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
    .helpCommand("help [command]", "say how a command is used");
  const groups = new Map<string, Command>();
  for (const definition of commands) {
    const words = [...definition.words];
    const word = words.pop() ?? definition.name;
    const parent = words.length === 0 ? program : groupOf(program, words, groups, io);
    const command = prepare(new Command(word), io).summary(definition.summary);
    command.description(definition.summary);
    const complete = definition.setup(command);
    addGlobalOptions(complete);
    if (definition.examples !== undefined) {
      complete.addHelpText("after", `\nExamples:\n${indented(definition.examples)}`);
    }
    complete.action(async () => {
      const args: readonly unknown[] = complete.processedArgs;
      await run({ command: definition, args, options: complete.opts() });
    });
    parent.addCommand(complete, { isDefault: definition.isDefault ?? false });
  }
  return program;
}

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
  const group = prepare(new Command(word), io).summary(groupSummaries[name] ?? word);
  groups.set(name, group);
  parent.addCommand(group);
  return group;
}

const groupSummaries: Readonly<Record<string, string>> = {
  audit: "ask the ledger what happened, and check it",
  config: "look at the configuration",
  failures: "list what failed, by cause, with the remedy",
  import: "bring content, inventories and access logs into the index",
  index: "ask the index with SQL, and keep snapshots of it",
  "index snapshot": "write the index as files named by CID; list, compare and restore them",
  limits: "show and change how hard backends may be worked",
  objects: "list objects, show one",
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
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

const globalGroup = "Global options:";
/** Settings whose flags a help text shows; the others work all the same. */
const shownSettings = new Set(["data", "queue.url", "api.url"]);

function addGlobalOptions(command: CommandUnknownOpts): void {
  const add = (option: Option): void => {
    command.addOption(option.helpGroup(globalGroup));
  };
  add(new Option("-c, --config <file>", "configuration file (default: ./thermocline.yaml)"));
  if (!command.options.some(({ long }) => long === "--output")) {
    add(
      new Option("-o, --output <format>", "form of the answer")
        .choices([...outputFormats])
        .default("text")
        .env("THERMOCLINE_OUTPUT"),
    );
  }
  add(
    new Option("--progress <mode>", "how progress is shown")
      .choices([...progressModes])
      .default("auto")
      .env("THERMOCLINE_PROGRESS"),
  );
  add(
    new Option("--color <when>", "colours")
      .choices(["auto", "always", "never"])
      .default("auto")
      .env("THERMOCLINE_COLOR"),
  );
  if (!command.options.some(({ long }) => long === "--reason")) {
    add(new Option("--reason <text>", "why this is done; the ledger keeps it, and who did it"));
  }
  add(new Option("-q, --quiet", "say only what was asked for, and errors"));
  const taken = new Set(command.options.map((option) => option.long));
  for (const { path, flag, description } of settingNames()) {
    if (taken.has(flag)) continue;
    const option = new Option(`${flag} <value>`, description);
    add(option.hideHelp(!shownSettings.has(path)));
  }
}

function indented(examples: readonly string[]): string {
  return examples.map((example) => `  ${example}`).join("\n");
}
