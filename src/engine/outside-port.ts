import type { Config } from "#config.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { EngineError } from "#model/engine-error.ts";
import { outsideLane } from "#model/run-order.ts";
import type { OutsidePort } from "#model/outside.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What this node may reach outside, as its configuration says; undefined when that is nothing. */
export function outsidePort(
  { webhooks, commands, exports, directory }: Config,
  env: Environment,
): OutsidePort | undefined {
  if (!hasOutside({ webhooks, commands, exports })) return undefined;
  return {
    webhook: async (name) => {
      const found = webhooks[name] ?? missing("webhook", name);
      const context = { env, directory };
      const [url, secret] = await Promise.all([
        resolveReference(found.url, context),
        resolveSecret(found.secret, context),
      ]);
      return { url, secret, timeoutMs: found.timeoutMs };
    },
    exportFolder: (name) => (exports[name] ?? missing("export", name)).path,
    command: (name) => {
      const { argv, environment, timeoutMs } = commands[name] ?? missing("command", name);
      const passed = environment.flatMap((variable) => {
        const value = env[variable];
        return value === undefined ? [] : [[variable, value] as const];
      });
      return { argv, directory, environment: Object.fromEntries(passed), timeoutMs };
    },
  };
}

type Outside = Pick<Config, "webhooks" | "commands" | "exports">;

/** All these names, for checks of policies. */
export function outsideNames({ webhooks, commands, exports }: Outside) {
  return {
    webhooks: Object.keys(webhooks),
    commands: Object.keys(commands),
    exports: Object.keys(exports),
  };
}

function hasOutside(outside: Outside): boolean {
  return Object.values(outsideNames(outside)).some((names) => names.length > 0);
}

function missing(what: "webhook" | "command" | "export", name: string): never {
  throw new EngineError("NOT_FOUND", `the configuration of this worker has no ${what} "${name}"`, {
    hint: `add it under ${what}s: in thermocline.yaml of every worker that has any`,
  });
}

/** The lanes on which this installation's work waits: one of each backend, and that of the outside. */
export function laneNames(config: Config, backends: readonly string[]): readonly string[] {
  return hasOutside(config) ? [...backends, outsideLane] : backends;
}
