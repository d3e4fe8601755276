import { resolve } from "node:path";
import { parseSecretReference } from "#model/secret-reference.ts";
import type { ConfigInput } from "#config.ts";
import { settingNames } from "#config/setting-names.ts";
import type { SettingName } from "#config/setting-names.ts";

/** A setting that a flag or the environment decides. */
export interface SettingOverride {
  readonly path: string;
  /** In the user's form, as it could stand in the file. */
  readonly raw: unknown;
  /** `flag --data` or `environment THERMOCLINE_DATA`. */
  readonly origin: string;
}

/** What flags and environment say; a flag wins over a variable. */
export function settingOverrides(input: ConfigInput): readonly SettingOverride[] {
  return settingNames().flatMap((setting) => {
    const flag = input.flags?.[setting.path];
    if (flag !== undefined) return [override(setting, flag, `flag ${setting.flag}`, input)];
    return fromEnvironment(setting, input);
  });
}

function fromEnvironment(setting: SettingName, input: ConfigInput): readonly SettingOverride[] {
  const { variable } = setting;
  const value = input.env[variable];
  if (value !== undefined && value !== "") {
    // A variable may hold the secret itself; what travels on is the name of the variable.
    const text = holdsSecret(setting, value) ? `env:${variable}` : value;
    return [override(setting, text, `environment ${variable}`, input)];
  }
  if (!secretSettings.has(setting.path)) return [];
  const file = input.env[`${variable}_FILE`];
  if (file !== undefined && file !== "") {
    const reference = `file:${resolve(input.cwd, file)}`;
    return [override(setting, reference, `environment ${variable}_FILE`, input)];
  }
  const command = input.env[`${variable}_COMMAND`];
  if (command === undefined || command === "") return [];
  return [override(setting, `command:${command}`, `environment ${variable}_COMMAND`, input)];
}

const secretSettings = new Set(["queue.url", "api.token"]);
const pathSettings = new Set(["data", "policies"]);

function holdsSecret(setting: SettingName, value: string): boolean {
  if (!secretSettings.has(setting.path) || parseSecretReference(value) !== undefined) return false;
  return setting.path === "api.token" || (URL.parse(value)?.password ?? "") !== "";
}

function override(
  setting: SettingName,
  text: string,
  origin: string,
  input: ConfigInput,
): SettingOverride {
  return { path: setting.path, raw: toRaw(setting, text, input.cwd), origin };
}

function toRaw(setting: SettingName, text: string, cwd: string): unknown {
  // Paths on the command line start where the person stands, not where the file lies.
  const place = (path: string): string =>
    pathSettings.has(setting.path) ? resolve(cwd, path) : path;
  const items = text.split(",").map((item) => item.trim());
  switch (setting.type) {
    case "number":
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case "list":
      return items.map(place);
    case "map":
      return Object.fromEntries(
        items.map((item) => [item.split("=")[0], item.split("=")[1] ?? ""]),
      );
    default:
      return setting.path === "api.listen" && text.startsWith("unix:")
        ? `unix:${resolve(cwd, text.slice("unix:".length))}`
        : place(text);
  }
}
