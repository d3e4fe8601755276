import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import type { EngineContext } from "#engine/context.ts";
import { EngineEvents } from "#engine/events.ts";
import { Execution } from "#engine/execution.ts";
import { LastPlan } from "#engine/last-plan.ts";
import { auditPart } from "#engine/parts/audit-part.ts";
import { contentPart } from "#engine/parts/content-part.ts";
import { nodePart } from "#engine/parts/node-part.ts";
import { policyPart } from "#engine/parts/policy-part.ts";
import { runPart } from "#engine/parts/run-part.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import { TimingBook } from "#engine/timing-book.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { DriverDefinition } from "#model/driver.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";

export interface EngineOptions {
  readonly config: Config;
  readonly definitions: ReadonlyMap<string, DriverDefinition>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** What this process does once runs have to be executed. Default both. */
  readonly roles?: readonly Role[];
  readonly now?: () => Date;
  /** Hears of what goes wrong and is retried or worked around. */
  readonly onError?: (error: EngineError) => void;
}

/**
 * Opens the index and everything around it: the only wiring. Runs are executed from `start()`
 * on, or from the first `apply` or resumed run in a process that was not started.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { config, definitions, env, version } = options;
  const secrets = { env, directory: config.directory };
  await mkdir(config.dataDirectory, { recursive: true });
  const now = options.now ?? (() => new Date());
  const events = new EngineEvents();
  const index = await openIndex(config, now, events);
  await index.syncBackends(config.backends);
  const pool = new BackendPool({
    backends: config.backends,
    definitions,
    resolveSecret: (reference) => resolveSecret(reference, secrets),
  });
  const registry = await loadAttributes();
  const context: EngineContext = {
    config,
    version,
    index,
    pool,
    registry,
    policies: new PolicyBook(config, registry),
    timings: new TimingBook(config, registry),
    events,
    lastPlan: new LastPlan(),
    now,
    moment: async (at) => ({ now: at, backends: await index.backends(), heat: await index.heat() }),
  };
  const execution = new Execution(context, {
    roles: options.roles ?? ["controller", "worker"],
    resolveReference: (text) => resolveReference(text, secrets),
    onError: options.onError ?? (() => undefined),
  });
  return assemble(context, execution);
}

/** A command that is about to end may hold the index: its turn is waited for. */
const indexWaitMs = 15_000;

async function openIndex(
  config: Config,
  now: () => Date,
  events: EngineEvents,
): Promise<ObjectIndex> {
  const deadline = Date.now() + indexWaitMs;
  for (;;) {
    try {
      return await ObjectIndex.open(dataPaths(config.dataDirectory).index, {
        memoryLimit: `${config.index.memoryBytes}B`,
        ...(config.index.threads === undefined ? {} : { threads: config.index.threads }),
        heatHalfLifeMs: config.heat.halfLifeMs,
        now,
        onEvent: (event) => {
          events.emit(event);
        },
      });
    } catch (error) {
      if (EngineError.from(error).code !== "LOCKED" || Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}

/** The engine in this process. */
export interface Engine extends EngineApi {
  /** Begins to execute runs, those that an earlier process left unfinished first. */
  start(): Promise<void>;
  close(): Promise<void>;
}

function assemble(context: EngineContext, execution: Execution): Engine {
  const engine: Engine = {
    ...auditPart(context),
    ...policyPart(context),
    ...contentPart(context),
    ...runPart(context, execution, () => engine),
    ...nodePart(context, execution),
    async start() {
      await execution.start(engine);
    },
    async close() {
      await execution.close();
      await context.pool.close();
      await context.index.close();
    },
  };
  return engine;
}
