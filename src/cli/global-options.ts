import { Option } from "@commander-js/extra-typings";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { settingNames } from "#config/setting-names.ts";
import { outputFormats } from "#cli/command.ts";
import { progressModes } from "#cli/output/progress-view.ts";

const globalGroup = "Global options:";
/** Settings whose flags a help text shows; the others work all the same. */
const shownSettings = new Set(["data", "queue.url", "api.url"]);

/** The options that every command has, but for those that a command has its own form of. */
export function globalOptions(command: CommandUnknownOpts): readonly Option[] {
  const taken = new Set(command.options.map(({ long }) => long));
  return [...commonOptions(), ...settingOptions()]
    .filter(({ long }) => !taken.has(long ?? undefined))
    .map((option) => option.helpGroup(globalGroup));
}

function commonOptions(): readonly Option[] {
  return [
    new Option("-c, --config <file>", "configuration file (default: ./thermocline.yaml)"),
    new Option("-o, --output <format>", "form of the answer")
      .choices([...outputFormats])
      .default("text")
      .env("THERMOCLINE_OUTPUT"),
    new Option("--progress <mode>", "how progress is shown")
      .choices([...progressModes])
      .default("auto")
      .env("THERMOCLINE_PROGRESS"),
    new Option("--color <when>", "colours")
      .choices(["auto", "always", "never"])
      .default("auto")
      .env("THERMOCLINE_COLOR"),
    new Option("--reason <text>", "why this is done; the ledger keeps it, and who did it"),
    new Option("-q, --quiet", "say only what was asked for, and errors"),
  ];
}

function settingOptions(): readonly Option[] {
  return settingNames().map(({ path, flag, description }) =>
    new Option(`${flag} <value>`, description).hideHelp(!shownSettings.has(path)),
  );
}
