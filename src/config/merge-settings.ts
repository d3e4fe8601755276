import { EngineError } from "#model/engine-error.ts";
import type { ParsedDocument } from "#document/parse-documents.ts";
import { configSchema } from "#config/config-schema.ts";
import type { ConfigDocument } from "#config/config-schema.ts";
import type { SettingOverride } from "#config/setting-overrides.ts";
import { settingNames } from "#config/setting-names.ts";

/** A setting as the user would write it, and what decided it. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
  /** `flag --data`, `environment THERMOCLINE_DATA`, `thermocline.yaml:3:7` or `default`. */
  readonly origin: string;
}

type Tree = Record<string, unknown>;

/** Lays overrides over the file and defaults under it, and remembers what came from where. */
export function mergeSettings(
  parsed: ParsedDocument<ConfigDocument> | undefined,
  overrides: readonly SettingOverride[],
): { readonly document: ConfigDocument; readonly settings: readonly Setting[] } {
  const written = (parsed?.raw ?? { apiVersion: "thermocline/v1" }) as Tree;
  let merged = structuredClone(written);
  for (const override of overrides) merged = withOverride(merged, override);
  const byPath = new Map(overrides.map((override) => [override.path, override]));
  const settings = settingNames().flatMap(({ path, initial }) => {
    const override = byPath.get(path);
    if (override !== undefined) return [{ path, value: override.raw, origin: override.origin }];
    const steps = path.split(".");
    const value = steps.reduce<unknown>(
      (tree, step) => (tree as Tree | undefined)?.[step],
      written,
    );
    if (value === undefined) {
      return initial === undefined ? [] : [{ path, value: initial, origin: "default" }];
    }
    return [{ path, value, origin: parsed?.places.label(steps) ?? "default" }];
  });
  return { document: configSchema.parse(merged), settings };
}

/** Sets one value and checks it at once, so that a refusal names the flag or variable. */
function withOverride(tree: Tree, { path, raw, origin }: SettingOverride): Tree {
  const changed = structuredClone(tree);
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let parent = changed;
  for (const step of steps) {
    parent[step] ??= {};
    parent = parent[step] as Tree;
  }
  parent[last] = raw;
  const issue = configSchema.safeParse(changed).error?.issues[0];
  if (issue === undefined) return changed;
  const hint = "params" in issue ? issue.params?.["hint"] : undefined;
  throw new EngineError("USAGE", `${origin}: ${issue.message}`, {
    hint: typeof hint === "string" ? hint : `it sets "${path}" of the configuration`,
  });
}
