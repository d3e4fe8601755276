import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ConfigInput } from "#config.ts";

/**
 * The configuration file to read: `--config`, THERMOCLINE_CONFIG, ./thermocline.yaml, then the
 * user's own; undefined when there is none. One that is named must exist when it is read.
 */
export async function findConfigFile(input: ConfigInput): Promise<string | undefined> {
  const named = input.file ?? input.env["THERMOCLINE_CONFIG"];
  if (named !== undefined && named !== "") return resolve(input.cwd, named);
  const home = input.env["HOME"];
  const base =
    input.env["XDG_CONFIG_HOME"] ?? (home === undefined ? undefined : join(home, ".config"));
  const candidates = [
    join(input.cwd, "thermocline.yaml"),
    ...(base === undefined || base === "" ? [] : [join(base, "thermocline", "config.yaml")]),
  ];
  for (const candidate of candidates) {
    const exists = await access(candidate).then(
      () => true,
      () => false,
    );
    if (exists) return candidate;
  }
  return undefined;
}
