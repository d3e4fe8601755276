import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import type { EngineContext } from "#engine/context.ts";
import { EngineEvents } from "#engine/events.ts";
import { explainNow } from "#engine/explain.ts";
import { importAccesses } from "#engine/import-accesses.ts";
import { NodeTable } from "#engine/node-table.ts";
import { listObjects, showObject } from "#engine/objects.ts";
import { applyPlan, makePlan, storedActions } from "#engine/planning.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import { nodeReport, type Runtime, startRuntime } from "#engine/runtime.ts";
import { controlOfRun, findRun, setRunControl } from "#engine/runs.ts";
import { engineStatus } from "#engine/status.ts";
import { verifyObjects } from "#engine/verify.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { importDirectory } from "#jobs/import-directory.ts";
import type { DriverDefinition } from "#model/driver.ts";
import type * as api from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Backend } from "#model/backend.ts";
import type { DriftReport } from "#model/index-store.ts";
import type { NodeReport, Role } from "#model/node.ts";
import type { PlanAction } from "#model/plan.ts";
import type { Run, RunControl } from "#model/run.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { holdStatement } from "#policies/hold-statement.ts";

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
    events,
    now,
    moment: async (at) => ({ now: at, backends: await index.backends(), heat: await index.heat() }),
  };
  return new Engine(context, options, (text) => resolveReference(text, secrets));
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
export class Engine implements api.EngineApi {
  readonly #context: EngineContext;
  readonly #options: EngineOptions;
  readonly #resolveReference: (text: string) => Promise<string>;
  readonly #nodes = new NodeTable();
  readonly #startedAt: Date;
  #runtime: Promise<Runtime> | undefined;

  constructor(
    context: EngineContext,
    options: EngineOptions,
    reference: (text: string) => Promise<string>,
  ) {
    this.#context = context;
    this.#options = options;
    this.#resolveReference = reference;
    this.#startedAt = context.now();
  }

  /** Begins to execute runs, those that an earlier process left unfinished first. */
  async start(): Promise<void> {
    await this.#executing();
  }

  async close(): Promise<void> {
    const runtime = await this.#runtime?.catch(() => undefined);
    await runtime?.close();
    await this.#context.pool.close();
    await this.#context.index.close();
  }

  async status(): Promise<api.EngineStatus> {
    const runtime = await this.#runtime;
    return engineStatus(this.#context, {
      queue: runtime?.store.address ?? `${this.#context.config.queue.url} (not started)`,
      startedAt: this.#startedAt,
      nodes: await this.nodes(),
    });
  }

  async backends(): ReturnType<api.EngineApi["backends"]> {
    const { index, pool } = this.#context;
    const known = (await index.backends()).filter((backend) => pool.names.includes(backend.name));
    const withStatus = async (backend: Backend) => ({
      ...backend,
      status: await pool.status(backend.name),
    });
    return Promise.all(known.map(withStatus));
  }

  async validate(files?: readonly string[]): Promise<api.ValidationReport> {
    const { policies, moment, now } = this.#context;
    return policies.validate(await moment(now()), files);
  }

  plan(request: api.PlanRequest): Promise<api.PlanReport> {
    return makePlan(this.#context, request);
  }

  planActions(cid: string, offset: number, limit: number): Promise<readonly PlanAction[]> {
    return storedActions(this.#context, cid, offset, limit);
  }

  async apply(request: api.ApplyRequest): Promise<Run> {
    const runtime = await this.#executing();
    const run = await applyPlan(this.#context, request);
    runtime.wake();
    return run;
  }

  explain(request: api.ExplainRequest): Promise<api.Explanation> {
    return explainNow(this.#context, request);
  }

  objects(request: api.ObjectsRequest): Promise<readonly api.ObjectSummary[]> {
    return listObjects(this.#context, request);
  }

  object(reference: string): Promise<api.ObjectDetail> {
    return showObject(this.#context, reference);
  }

  async *query(text: string): AsyncGenerator<api.QueryChunk> {
    for await (const { names, columns, rows } of this.#context.index.query(text)) {
      const row = (at: number) =>
        Object.fromEntries(names.map((name, column) => [name, columns[column]?.[at]]));
      yield { columns: names, rows: Array.from({ length: rows }, (_, at) => row(at)) };
    }
  }

  async *importDirectory(request: api.ImportRequest): AsyncGenerator<api.ImportProgress> {
    const { pool, index, now } = this.#context;
    const driver = await pool.driver(request.backend);
    yield* importDirectory(request, { backend: request.backend, driver }, index, { now });
  }

  async importInventory(backend: string): Promise<DriftReport> {
    const { pool, index, now } = this.#context;
    const driver = await pool.driver(backend);
    return index.reconcile(backend, driver.list(), now());
  }

  importAccesses(id: string, lines: AsyncIterable<string>): Promise<api.AccessImportReport> {
    return importAccesses(this.#context, id, lines);
  }

  verify(request: api.VerifyRequest): AsyncIterable<api.VerifyProgress> {
    return verifyObjects(this.#context, request);
  }

  async setHold(reference: string, held: boolean, reason: string): Promise<api.ObjectSummary> {
    const { index, now } = this.#context;
    const objectId = await index.findObject(reference);
    if (held) await index.hold([objectId], reason, now());
    else await index.release([objectId], now());
    return this.object(reference);
  }

  async setCordon(backend: string, cordoned: boolean): Promise<void> {
    await this.#context.index.setCordon(backend, cordoned);
    this.#wake();
  }

  runs(): Promise<readonly Run[]> {
    return this.#context.index.runs();
  }

  run(id: string): Promise<Run> {
    return findRun(this.#context, id);
  }

  async controlRun(id: string, control: RunControl): Promise<Run> {
    // Without a controller, this process is the one that goes on with the run.
    if (control === "run") await this.#executing();
    const run = await setRunControl(this.#context, id, control);
    this.#wake();
    return run;
  }

  async nodes(): Promise<readonly api.NodeState[]> {
    const { config, version, pool, now } = this.#context;
    if (this.#runtime !== undefined) {
      // This process is a node too, and certainly up.
      this.#nodes.record(nodeReport({ config, version, roles: this.#roles }, pool.names), now());
    }
    return this.#nodes.list(now());
  }

  async heartbeat(report: NodeReport): Promise<void> {
    this.#nodes.record(report, this.#context.now());
  }

  segment(planCid: string, from: number, to: number): Promise<Uint8Array> {
    return this.#context.index.segment(planCid, from, to);
  }

  async runControls(ids: readonly string[]): Promise<Readonly<Record<string, RunControl>>> {
    const controls = ids.map(async (id) => [id, await controlOfRun(this.#context, id)] as const);
    return Object.fromEntries(await Promise.all(controls));
  }

  get #roles(): readonly Role[] {
    return this.#options.roles ?? ["controller", "worker"];
  }

  #executing(): Promise<Runtime> {
    const { config, index, pool, version, now } = this.#context;
    this.#runtime ??= startRuntime(
      {
        config,
        index,
        pool,
        version,
        roles: this.#roles,
        resolveReference: this.#resolveReference,
        heldByPolicy: (objectIds) => this.#heldByPolicy(objectIds),
        now,
        onError: this.#options.onError ?? (() => undefined),
      },
      this,
    );
    return this.#runtime;
  }

  #wake(): void {
    void this.#runtime?.then((runtime) => runtime.wake());
  }

  async #heldByPolicy(objectIds: readonly number[]): Promise<ReadonlySet<number>> {
    const { index, policies, moment, now } = this.#context;
    const set = await policies.compileForHolds(await moment(now()));
    const statement = holdStatement(set, objectIds);
    await using session = await index.session();
    return new Set((await session.rows(statement)).map((row) => Number(row["object_id"])));
  }
}
