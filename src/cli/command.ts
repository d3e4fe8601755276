import type { Command, OptionValues } from "@commander-js/extra-typings";
import type { Config } from "#config.ts";
import type { CommandIo } from "#cli/command-io.ts";
import type { Connection } from "#cli/connect.ts";
import type { LocalSnapshots, NodeStart, RunningNode } from "#cli/engines.ts";
import type { ProgressMode } from "#cli/output/progress-view.ts";

/** The default export of a file in `src/cli/commands/`: one command. */
export interface CommandDefinition {
  /** Equals the file name: the words of the command joined by dashes. */
  readonly name: string;
  /** As it is typed: `["objects", "ls"]`. */
  readonly words: readonly string[];
  /** Runs when its group is typed without a further word. */
  readonly isDefault?: boolean;
  /** Stays until it is stopped, and then takes the time that a clean stop needs. */
  readonly staysUp?: boolean;
  readonly summary: string;
  /** Shown at the end of its help. */
  readonly examples: readonly [string, ...string[]];
  setup(command: Command): Command<unknown[], OptionValues>;
  /** Resolves with the exit code; nothing means 0. */
  run(
    context: CommandContext,
    args: readonly unknown[],
    options: OptionValues,
  ): Promise<number | void>;
}

/** What a command gets to work with. */
export interface CommandContext {
  readonly io: CommandIo;
  readonly output: OutputFormat;
  readonly progress: ProgressMode;
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
  readonly quiet: boolean;
  /** Reads the configuration once. */
  config(): Promise<Config>;
  /** Connects to the engine once; closed after the command. */
  connect(): Promise<Connection>;
  /**
   * The same for what is asked of snapshots only, which needs no index; closed likewise. `here`
   * leaves out a controller elsewhere.
   */
  snapshots(options?: { readonly here: boolean }): Promise<LocalSnapshots>;
  /** Starts a node that stays; whoever starts it closes it. */
  start(node: NodeStart): Promise<RunningNode>;
  /** Data for standard output: the text for people, or the JSON document with schemaVersion. */
  print(text: string | (() => string), json: Readonly<Record<string, unknown>>): void;
  /** A line for people on standard error; nothing with --quiet. */
  note(line: string): void;
}

export const outputFormats = ["text", "json", "github"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Ties the types of a command's arguments and options to its function. */
export function defineCommand<Args extends unknown[], Options extends OptionValues>(command: {
  readonly name: string;
  readonly words?: readonly string[];
  readonly isDefault?: boolean;
  readonly staysUp?: boolean;
  readonly summary: string;
  readonly examples: readonly [string, ...string[]];
  setup(command: Command): Command<Args, Options>;
  run(context: CommandContext, args: Args, options: Options): Promise<number | void>;
}): CommandDefinition {
  return { words: [command.name], ...command };
}
