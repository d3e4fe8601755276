import type { OptionValues } from "@commander-js/extra-typings";
import { loadConfig } from "#config.ts";
import type { Config } from "#config.ts";
import { settingNames } from "#config/setting-names.ts";
import { loadDrivers } from "#registry.ts";
import type { CommandContext, OutputFormat } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { connect, connectSnapshots } from "#cli/connect.ts";
import type { Connection } from "#cli/connect.ts";
import type { Engines, LocalSnapshots } from "#cli/engines.ts";
import { toJsonText } from "#cli/output/json.ts";
import type { ProgressMode } from "#cli/output/progress-view.ts";

/** A command's context, and the means to end what it opened. */
export interface CommandEnvironment {
  readonly context: CommandContext;
  /** The configuration, if the command read it. */
  loadedConfig(): Config | undefined;
  close(): Promise<void>;
}

/** Reads the configuration and connects when, and only when, a command asks for it. */
export function commandEnvironment(
  io: CommandIo,
  options: OptionValues,
  engines: Engines,
): CommandEnvironment {
  const output = options["output"] as OutputFormat;
  const quiet = options["quiet"] === true;
  let config: Promise<Config> | undefined;
  let loaded: Config | undefined;
  let connection: Promise<Connection> | undefined;
  let snapshots: Promise<LocalSnapshots> | undefined;

  const note = (line: string): void => {
    if (!quiet) io.stderr.write(`${line}\n`);
  };
  const readConfig = async (): Promise<Config> => {
    const drivers = await loadDrivers();
    const { cwd, env, hostname } = io;
    const file = options["config"] as string | undefined;
    loaded = await loadConfig({ cwd, env, hostname, drivers, file, flags: settingFlags(options) });
    return loaded;
  };
  const context: CommandContext = {
    io,
    output,
    quiet,
    progress: options["progress"] as ProgressMode,
    color: { stdout: hasColor(io, "stdout", options), stderr: hasColor(io, "stderr", options) },
    config: () => (config ??= readConfig()),
    connect: () =>
      (connection ??= context.config().then((ready) => connect(ready, io, engines, note))),
    snapshots: ({ here } = { here: false }) =>
      (snapshots ??= context.config().then((ready) => connectSnapshots(ready, io, engines, here))),
    start: async (node) => engines.node(await context.config(), io, node),
    print: (text, json) => {
      if (output === "json") io.stdout.write(`${toJsonText({ schemaVersion: 1, ...json }, 2)}\n`);
      else io.stdout.write(typeof text === "function" ? text() : text);
    },
    note,
  };
  return {
    context,
    loadedConfig: () => loaded,
    close: async () => {
      for (const opening of [connection, snapshots]) {
        const opened = await opening?.catch(() => undefined);
        await opened?.close();
      }
    },
  };
}

/** Options of settings by path: commander names them by their flag in camel case. */
function settingFlags(options: OptionValues): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    settingNames().map(({ path, flag }) => {
      const key = flag
        .slice(2)
        .replaceAll(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
      const value: unknown = options[key];
      return [path, typeof value === "string" ? value : undefined];
    }),
  );
}

/** https://no-color.org and FORCE_COLOR; a flag wins over both, a terminal decides the rest. */
function hasColor(io: CommandIo, stream: "stdout" | "stderr", options: OptionValues): boolean {
  if (options["color"] === "always") return true;
  if (options["color"] === "never") return false;
  if ((io.env["NO_COLOR"] ?? "") !== "") return false;
  const forced = io.env["FORCE_COLOR"] ?? "";
  if (forced !== "") return forced !== "0";
  return io[stream].isTTY && io.env["TERM"] !== "dumb";
}
