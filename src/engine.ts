import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import type { EngineContext } from "#engine/context.ts";
import { EventFeed } from "#engine/event-feed.ts";
import { EngineEvents } from "#engine/events.ts";
import { Execution } from "#engine/execution.ts";
import { LastPlan } from "#engine/last-plan.ts";
import { approvalPart } from "#engine/parts/approval-part.ts";
import { auditPart } from "#engine/parts/audit-part.ts";
import { Leadership, type Patience } from "#engine/leadership.ts";
import { openIndex, openIndexInTurn } from "#engine/open-index.ts";
import { BatchRetention } from "#engine/batches/batch-retention.ts";
import { batchPart } from "#engine/parts/batch-part.ts";
import { controlPart } from "#engine/parts/control-part.ts";
import { contentPart } from "#engine/parts/content-part.ts";
import { failurePart } from "#engine/parts/failure-part.ts";
import { importPart } from "#engine/parts/import-part.ts";
import { objectContentPart } from "#engine/parts/object-content-part.ts";
import { limitPart } from "#engine/parts/limit-part.ts";
import { nodePart } from "#engine/parts/node-part.ts";
import { policyPart } from "#engine/parts/policy-part.ts";
import { runPart } from "#engine/parts/run-part.ts";
import { snapshotPart } from "#engine/parts/snapshot-part.ts";
import { schedulePart } from "#engine/parts/schedule-part.ts";
import { outsideNames, outsidePort } from "#engine/outside-port.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import { Repairs } from "#engine/repairs.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import { Scrubbing } from "#engine/scrub/scrubbing.ts";
import { scheduledTails } from "#engine/ledger/scheduled-tails.ts";
import { scheduledSnapshots } from "#engine/snapshots/scheduled-snapshots.ts";
import { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import { Scheduling } from "#engine/schedules/scheduling.ts";
import { policyStarter } from "#engine/schedules/start-policy.ts";
import { TimingBook } from "#engine/timing-book.ts";
import { watchBackends } from "#engine/watch-backends.ts";
import { NodeTable } from "#engine/node-table.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { LimitBook } from "#jobs/limits/limit-book.ts";
import type { DriverDefinition } from "#model/driver.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import type { Run } from "#model/run.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";

export interface EngineOptions {
  readonly config: Config;
  readonly definitions: ReadonlyMap<string, DriverDefinition>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** What this process does once runs have to be executed. Default both. */
  readonly roles?: readonly Role[];
  readonly now?: () => Date;
  /** Be the active controller from the start, after waiting for the turn; else when needed. */
  readonly lead?: Patience;
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
  const hint = "give this user the data directory, or set `data:` to another one";
  await makeFolderOf(dataPaths(config.dataDirectory).identity, hint);
  const now = options.now ?? (() => new Date());
  const onError = options.onError ?? (() => undefined);
  const events = new EngineEvents();
  const resolve = (text: string) => resolveReference(text, secrets);
  const leadership = await Leadership.prepare({
    config,
    env,
    version,
    now,
    onError,
    resolveReference: resolve,
  });
  const open = () => openIndex(config, now, events, leadership);
  const index = await (
    options.lead === undefined ? openIndexInTurn(open) : leadership.await(options.lead, open)
  ).catch(async (error: unknown) => {
    await leadership.close();
    throw error;
  });
  leadership.use(index);
  await index.syncBackends(config.backends);
  const pool = new BackendPool({
    backends: config.backends,
    node: config.node,
    definitions,
    resolveSecret: (reference) => resolveSecret(reference, secrets),
  });
  const registry = await loadAttributes();
  const limits = new LimitBook({ backends: config.backends, store: index.limits, now });
  await limits.load();
  const context: EngineContext = {
    config,
    version,
    index,
    pool,
    outside: outsidePort(config, env),
    registry,
    policies: new PolicyBook(config, registry),
    timings: new TimingBook(config, registry),
    events,
    watch: watchBackends(pool, now, onError),
    lastPlan: new LastPlan(),
    limits,
    nodes: new NodeTable(),
    snapshots: new SnapshotDesk({ config, pool, installation: () => installationOf(index), now }),
    now,
    moment: async (at, session) => ({
      now: at,
      backends: await (session ?? index).backends(at),
      heat: await (session ?? index).heat(),
      roles: Object.keys(config.roles),
      outside: outsideNames(config),
    }),
  };
  const execution = new Execution(context, {
    roles: options.roles ?? ["controller", "worker"],
    leadership,
    onError,
  });
  return assemble(context, execution, leadership, onError);
}

/** The engine in this process. */
export interface Engine extends EngineApi {
  /** Begins to execute runs, those that an earlier process left unfinished first. */
  start(): Promise<void>;
  /** Aborted, with a LOCKED error, once another controller has taken over: close and end. */
  readonly lost: AbortSignal;
  close(): Promise<void>;
}

function assemble(
  context: EngineContext,
  execution: Execution,
  leadership: Leadership,
  onError: (error: EngineError) => void,
): Engine {
  const began = async (run: Run, from: Date): Promise<void> => {
    (await execution.start(engine)).began(run, from);
  };
  const scheduling = new Scheduling(context, policyStarter(context, began), onError, () => {
    execution.wake();
  });
  const repairs = new Repairs(context, began, onError);
  const snapshotting = scheduledSnapshots(context, onError);
  const tails = scheduledTails(context, onError);
  const scrubbing = new Scrubbing(context, onError);
  const feed = new EventFeed(context.events, context.now);
  const batches = batchPart(context);
  const retention = new BatchRetention({ batches, ...context.config.batches, onError });
  const engine: Engine = {
    ...auditPart(context),
    ...snapshotPart(context),
    ...batches,
    events: (after) => feed.after(after),
    ...policyPart(context),
    ...contentPart(context),
    ...objectContentPart(context),
    ...importPart(context),
    ...runPart(context, execution, () => engine),
    ...approvalPart(context, execution, () => engine),
    ...controlPart(
      context,
      execution,
      () => engine,
      () => engine.nodes(),
    ),
    ...nodePart(context, execution, () => leadership.state()),
    ...failurePart(context, execution),
    ...limitPart(context, execution),
    ...schedulePart(context, scheduling),
    async start() {
      const runtime = await execution.start(engine);
      await scheduling.start(runtime.store);
      repairs.start();
      snapshotting?.start();
      tails?.start();
      retention.start();
      scrubbing.start();
    },
    lost: leadership.lost,
    async close() {
      feed.close();
      await retention.close();
      batches.closeBatches();
      await scheduling.close();
      await repairs.close();
      await scrubbing.close();
      await execution.close();
      await tails?.close();
      await Promise.all([snapshotting?.close(), context.snapshots.close()]);
      await context.pool.close();
      await leadership.seal();
      // The index first: whoever takes over finds it free.
      await context.index.close();
      await leadership.close();
    },
  };
  return engine;
}
