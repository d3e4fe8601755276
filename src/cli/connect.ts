import { findController } from "#api/find-controller.ts";
import { ApiClient } from "#api/client.ts";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { resolveSecret } from "#config/resolve-secret.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";
import type { Engines, LocalSnapshots } from "#cli/engines.ts";

/** The engine that a command talks to. */
export interface Connection {
  readonly api: EngineApi;
  /** `process`: it lives in this process and ends with the command. */
  readonly where: "controller" | "process";
  close(): Promise<void>;
}

/**
 * The controller named by `api.url`, else the one that runs on this data directory, else an
 * engine in this process for the length of the command, which is said.
 */
export async function connect(
  config: Config,
  io: CommandIo,
  engines: Engines,
  note: (line: string) => void,
): Promise<Connection> {
  const found = await controllerOf(config, io);
  if (found !== undefined) return { api: found, where: "controller", close: nothing };
  note("no controller is running: the engine runs in this process for the length of the command");
  const engine = await engines.local(config, io);
  return { api: engine.api, where: "process", close: () => engine.close() };
}

/** Who answers questions about snapshots: a controller, else this process, without an index. */
export async function connectSnapshots(
  config: Config,
  io: CommandIo,
  engines: Engines,
  here: boolean,
): Promise<LocalSnapshots> {
  const found = await (here ? controllerHere(config) : controllerOf(config, io));
  return found === undefined ? engines.snapshots(config, io) : { api: found, close: nothing };
}

/** The controller named by `api.url`, else the one that runs on this data directory, if any. */
export function controllerOf(config: Config, io: CommandIo): Promise<ApiClient | undefined> {
  if (config.api.url !== undefined) return remote(config, config.api.url, io);
  return controllerHere(config);
}

function controllerHere(config: Config): Promise<ApiClient | undefined> {
  return findController(dataPaths(config.dataDirectory).controllerState);
}

async function remote(config: Config, address: string, io: CommandIo): Promise<ApiClient> {
  const { token } = config.api;
  if (token === undefined) {
    throw new EngineError("UNAUTHENTICATED", `the controller at ${address} needs a token`, {
      hint: "set api.token, such as file:/run/secrets/thermocline-token, or THERMOCLINE_API_TOKEN",
    });
  }
  const secret = await resolveSecret(token, { env: io.env, directory: config.directory });
  return new ApiClient({ address, token: secret });
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
