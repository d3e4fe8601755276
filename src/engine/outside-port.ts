import type { Config } from "#config.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { EngineError } from "#model/engine-error.ts";
import { outsideLane } from "#model/run-order.ts";
import type { OutsidePort } from "#model/outside.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What this node may reach outside, as its configuration says; undefined when that is nothing. */
export function outsidePort(
  { webhooks, commands, directory }: Config,
  env: Environment,
): OutsidePort | undefined {
  if (Object.keys(webhooks).length + Object.keys(commands).length === 0) return undefined;
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

/** The names of both, for checks of policies. */
export function outsideNames({ webhooks, commands }: Config) {
  return { webhooks: Object.keys(webhooks), commands: Object.keys(commands) };
}

function missing(what: "webhook" | "command", name: string): never {
  throw new EngineError("NOT_FOUND", `the configuration of this worker has no ${what} "${name}"`, {
    hint: `add it under ${what}s: in thermocline.yaml of every worker that has any`,
  });
}

/** The lanes on which this installation's work waits: one of each backend, and that of the outside. */
export function laneNames(config: Config, backends: readonly string[]): readonly string[] {
  const { webhooks, commands } = outsideNames(config);
  return webhooks.length + commands.length === 0 ? backends : [...backends, outsideLane];
}
