import { EngineError } from "#model/engine-error.ts";

/** Throws USAGE for sources that cannot be added in one go. */
export function refuseWrongSources(sources: readonly string[], name: string | undefined): void {
  if (name !== undefined && sources.length > 1) {
    throw new EngineError("USAGE", "--name names one object", {
      hint: "add the sources one by one, or leave --name out",
    });
  }
  if (sources.filter((source) => source === "-").length > 1) {
    throw new EngineError("USAGE", "standard input can be added only once");
  }
}

/** Tags, with `key=value` for what policies read as `meta.<key>`. */
export function tagsOf(tags: readonly string[], meta: readonly string[]): readonly string[] {
  const wrong = meta.find((pair) => !/^[^=\s]+=/.test(pair));
  if (wrong === undefined) return [...tags, ...meta];
  throw new EngineError("USAGE", `--meta takes key=value, not "${wrong}"`, {
    hint: "such as --meta project=atlas",
  });
}
