import type { Engines } from "#cli/engines.ts";
import type { Config } from "#config.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { Role } from "#model/node.ts";
import type { CommandIo } from "#cli/command-io.ts";

/** The engines of the real program. The engine is loaded when one is needed: it is large. */
export const startEngines: Engines = {
  local: async (config, io) => {
    const engine = await loadEngine();
    return engine.startEngine(config, { io, roles: ["controller", "worker"], serve: false });
  },
  node: async (config, io, roles) => {
    const engine = await loadEngine();
    return engine.startEngine(config, { io, roles, serve: roles.includes("controller") });
  },
};

interface EngineModule {
  startEngine(
    config: Config,
    options: { readonly io: CommandIo; readonly roles: readonly Role[]; readonly serve: boolean },
  ): Promise<{
    readonly api: EngineApi;
    readonly address: string | undefined;
    close(): Promise<void>;
  }>;
}

function loadEngine(): Promise<EngineModule> {
  const name = "#engine.ts";
  return import(name) as Promise<EngineModule>;
}
