import type { ApiClient } from "#api/client.ts";
import { defaultListen } from "#api/address.ts";
import { dataPaths } from "#config/data-paths.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import type { Config } from "#config.ts";
import type { Patience } from "#engine/leadership.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import { loadDrivers } from "#registry.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { controllerOf } from "#cli/connect.ts";
import type { Engines, NodeStart, RunningNode } from "#cli/engines.ts";
import { troubleLog } from "#cli/trouble-log.ts";
import type { TroubleLog } from "#cli/trouble-log.ts";
import { readVersion } from "#cli/version.ts";

const controllerPollMs = 500;
/** For a node that does not stand by: as long as a command may take to end. */
const giveUpAfterMs = 15_000;

/**
 * The engines of the real program. The engine's own modules are loaded when one is needed:
 * commands that only talk to a controller start faster without DuckDB and the queue.
 */
export const startEngines: Engines = {
  local: async (config, io) => {
    const trouble = troubleLog(config, io);
    const engine = await open(config, io, ["controller", "worker"], trouble);
    return { api: engine, close: () => closing(trouble, engine) };
  },
  snapshots: async (config, io) => {
    const { openSnapshotReader } = await import("#engine/snapshots/snapshot-reader.ts");
    const [definitions, version] = await Promise.all([loadDrivers(), readVersion()]);
    return await openSnapshotReader({ config, definitions, env: io.env, version });
  },
  node: async (config, io, start) =>
    start.roles.includes("controller")
      ? startController(config, io, start)
      : startWorker(config, io),
};

async function startController(
  config: Config,
  io: CommandIo,
  { roles, standby }: NodeStart,
): Promise<RunningNode> {
  const trouble = troubleLog(config, io);
  const engine = await open(config, io, roles, trouble, {
    waitMs: standby ? Number.POSITIVE_INFINITY : giveUpAfterMs,
    signal: io.signal,
    onWaiting: (line) => io.stderr.write(`${line}\n`),
  });
  const paths = dataPaths(config.dataDirectory);
  try {
    const { serveApi } = await import("#api/serve-api.ts");
    await engine.start();
    const { token } = config.api;
    const secrets = { env: io.env, directory: config.directory };
    const server = await serveApi(engine, {
      listen: config.api.listen ?? defaultListen(paths.apiSocket),
      tokenFile: paths.apiToken,
      ...(token === undefined ? {} : { token: await resolveSecret(token, secrets) }),
      stateFile: paths.controllerState,
      version: await readVersion(),
      onDefect: trouble.report,
      onBrokenAnswer: trouble.report,
    });
    const close = async (): Promise<void> => {
      await server.close();
      await closing(trouble, engine);
    };
    return { address: server.address, ended: engine.lost, close };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function startWorker(config: Config, io: CommandIo): Promise<RunningNode> {
  const api = await awaitController(config, io);
  const [{ startWorkerNode }, { BackendPool }, { activeTrace }] = await Promise.all([
    import("#engine/worker-node.ts"),
    import("#engine/backend-pool.ts"),
    import("#engine/telemetry/active-trace.ts"),
  ]);
  const secrets = { env: io.env, directory: config.directory };
  const trouble = troubleLog(config, io);
  trouble.nameTrace(activeTrace);
  const worker = await startWorkerNode({
    config,
    pool: new BackendPool({
      backends: config.backends,
      node: config.node,
      definitions: await loadDrivers(),
      resolveSecret: (reference) => resolveSecret(reference, secrets),
    }),
    version: await readVersion(),
    env: io.env,
    api,
    resolveReference: (text) => resolveReference(text, secrets),
    onError: trouble.report,
  });
  return { address: undefined, close: () => closing(trouble, worker) };
}

/** Nodes start in any order, and a controller may be on its way back: a worker waits for it. */
async function awaitController(config: Config, io: CommandIo): Promise<ApiClient> {
  for (let told = false; !io.signal.aborted; told = true) {
    const api = await controllerOf(config, io).catch((error: unknown) => {
      // One that is silent for a moment is waited for like one that is not there.
      if (EngineError.from(error).code === "TIMEOUT") return undefined;
      throw error;
    });
    if (api !== undefined) return api;
    if (!told) {
      io.stderr.write("waiting for a controller: start `thermocline controller`, or set api.url\n");
    }
    await io.clock.sleep(controllerPollMs, io.signal);
  }
  throw new EngineError("CANCELLED", "stopped while waiting for a controller");
}

async function open(
  config: Config,
  io: CommandIo,
  roles: readonly Role[],
  trouble: TroubleLog,
  lead?: Patience,
) {
  const [{ openEngine }, { activeTrace }] = await Promise.all([
    import("#engine.ts"),
    import("#engine/telemetry/active-trace.ts"),
  ]);
  trouble.nameTrace(activeTrace);
  return openEngine({
    config,
    definitions: await loadDrivers(),
    env: io.env,
    version: await readVersion(),
    roles,
    ...(lead === undefined ? {} : { lead }),
    onError: trouble.report,
  });
}

function closing(trouble: TroubleLog, engine: { close(): Promise<void> }): Promise<void> {
  trouble.closing();
  return engine.close();
}
