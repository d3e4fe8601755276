import { firstPermitAt } from "#engine/begin-term.ts";
import { stepControls } from "#engine/step-controls.ts";
import { type DispatchLeadership, startDispatcher } from "#jobs/dispatcher.ts";
import { Admission } from "#jobs/admission.ts";
import { BackendWatch } from "#jobs/backend-watch.ts";
import { startWorker, type WorkerApi } from "#jobs/worker.ts";
import type { DispatchIndex } from "#jobs/dispatch-context.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { PolicyWord, PolicyWords } from "#model/policy-word.ts";
import { defaultClockSkewMs } from "#model/removal.ts";
import type { Batch } from "#model/run.ts";
import type { Faults } from "./faults.ts";
import type { ModelBackend } from "./model-backend.ts";
import { ModelDriver, type DriverWorld, type Moment } from "./model-driver.ts";
import type { ModelQueueStore } from "./model-queue-store.ts";
import { type Seams, withDefects } from "./mutants.ts";
import type { Promises } from "./promises.ts";
import type { Random } from "./random.ts";
import type { Restraints } from "./restraints.ts";
import type { Scheduler } from "./scheduler.ts";
import { SimulatedNode } from "./simulated-node.ts";
import type { SimulatedIndex } from "./simulated-index.ts";
import type { Theme } from "./themes.ts";
import { wallTime } from "./virtual-time.ts";
import type { Setup } from "./world.ts";

const skewMaxMs = 40_000;

/** Everything that the processes of one schedule share. */
export interface ClusterParts {
  readonly theme: Theme;
  readonly setup: Setup;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  readonly queue: ModelQueueStore;
  readonly index: SimulatedIndex;
  readonly backends: ReadonlyMap<string, ModelBackend>;
  readonly promises: Promises;
  readonly policyHolds: Set<number>;
  /** What policies want now that no plan knew of. */
  readonly policyPromises: Map<number, PolicyWord>;
  readonly restraints: Restraints;
  /** For what was added since the first seeds were found; missing: it does not happen. */
  readonly more: Random | undefined;
  readonly defect: Seams;
}

/** The real controller and the real workers, each a process that can die, stand still or err. */
export class Cluster {
  readonly errors: string[] = [];
  /** Hears of moments in the nodes; set by whoever wants to strike then. */
  onMoment: (what: Moment | "permitted", node: SimulatedNode) => void = () => undefined;
  readonly #parts: ClusterParts;
  readonly #nodes = new Map<string, SimulatedNode>();
  #lives = 0;
  /** Of the controller that lives now. */
  #admission = new Admission([]);
  #watch: BackendWatch | undefined;
  /** What the index knows of permits that may be in use, for the next controller. */
  #permitsFrom = new Date(0);
  /** How far the clock of the machine of the controllers was set from the true time. */
  #steppedMs = 0;
  /** The least of that which no controller has noted as a step since. */
  #leastSteppedMs = 0;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  get nodes(): readonly SimulatedNode[] {
    return [...this.#nodes.values()];
  }

  async start(): Promise<void> {
    await this.startNode("controller");
    for (let at = 1; at <= this.#parts.setup.workers; at += 1) await this.startNode(`worker-${at}`);
  }

  async startNode(name: string): Promise<void> {
    const { faults, random, scheduler } = this.#parts;
    // It died twice before it was started again: there is one controller at a time.
    if (name === "controller" && this.#nodes.get(name)?.alive === true) return;
    if (name === "controller") this.#keepClockOfBefore();
    const skewed = faults.enabled.has("clock-skew") && !faults.over;
    const ownMs = skewed ? random.between(-skewMaxMs, skewMaxMs) : 0;
    const skewMs = ownMs + (name === "controller" ? this.#steppedMs : 0);
    if (skewed) faults.count("clock-skew");
    const node = new SimulatedNode(name, (this.#lives += 1), skewMs);
    this.#nodes.set(name, node);
    await scheduler.as(node, async () => {
      scheduler.note(() => `starts, its clock ${(skewMs / 1_000).toFixed(1)} s off`);
      await (name === "controller" ? this.#startController(node) : this.#startWorker(node));
    });
  }

  crash(name: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#parts.scheduler.note(() => `${node.toString()} DIES`);
    node.alive = false;
  }

  freeze(name: string, ms: number): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#parts.scheduler.note(() => `${node.toString()} stands still for ${Math.round(ms)} ms`);
    node.frozenUntil = Math.max(node.frozenUntil, this.#parts.scheduler.now + ms);
  }

  /** Sets the clock on the machine of the controllers, for every life that follows. */
  stepClock(ms: number): void {
    const { scheduler } = this.#parts;
    this.#setClock(this.#steppedMs + ms);
    const controller = this.#nodes.get("controller");
    if (controller !== undefined) controller.skewMs += ms;
    scheduler.note(() => `the controller's clock is set by ${ms / 1_000} s`);
  }

  /** From now on nothing new goes wrong, and somebody made room: what is full waits for that. */
  calm(): void {
    this.#parts.faults.over = true;
    for (const backend of this.#parts.backends.values()) backend.capacityBytes = undefined;
    for (const node of this.#nodes.values()) node.skewMs = 0;
    if (this.#steppedMs !== 0) this.#setClock(0);
    this.#parts.restraints.clear();
  }

  async #startController(node: SimulatedNode): Promise<void> {
    const { setup, queue, policyHolds, policyPromises, restraints, defect } = this.#parts;
    const drivers = this.#drivers(node);
    const watch = this.#watchOf(drivers);
    if (setup.watched === true) watch.start();
    this.#watch = watch;
    const admission = restraints.admission((backend) => watch.healthOf(backend));
    this.#admission = defect.admission?.(admission) ?? admission;
    await startDispatcher({
      store: queue.client(node),
      index: this.#controllersIndex(node),
      drivers,
      admission: this.#admission,
      unreachable: () => watch.out(),
      permitTtlMs: setup.permitTtlMs,
      minimumCopies: setup.minimumCopies,
      queuedPerLaneMax: setup.queuedPerLaneMax,
      repairEveryMs: 5_000,
      leadership: this.#leadership(node),
      ...defect.controller,
      askPolicies: async (ids) => said(ids, policyHolds, policyPromises),
      onError: (error) => {
        this.errors.push(error.message);
        this.#parts.scheduler.note(() => `reports: ${error.message}`);
      },
    });
  }

  #setClock(offMs: number): void {
    this.#steppedMs = offMs;
    this.#leastSteppedMs = Math.min(this.#leastSteppedMs, offMs);
    this.#parts.promises.clockSet(offMs);
  }

  /**
   * Controllers that follow each other must keep to the clock skew (decision 0131): a step forward
   * that none lived to note has not happened.
   */
  #keepClockOfBefore(): void {
    if (this.#steppedMs - this.#leastSteppedMs > defaultClockSkewMs) {
      this.#setClock(this.#leastSteppedMs);
    }
    this.#leastSteppedMs = this.#steppedMs;
  }

  /** The next controller takes over the index as it is: it is told what this one noted there. */
  #leadership(node: SimulatedNode): DispatchLeadership {
    const { scheduler, setup } = this.#parts;
    const { permitTtlMs } = setup;
    const safety = { permitTtlMs, clockSkewMs: defaultClockSkewMs };
    const before = { last: { permitsFrom: this.#permitsFrom }, longestTtlMs: permitTtlMs };
    return {
      epoch: node.life,
      permitsFrom: firstPermitAt(before, true, safety, new Date()),
      lost: new AbortController().signal,
      clockStepped: (_stepMs, holdMs) => {
        const until = new Date(Date.now() + holdMs);
        const offMs = this.#steppedMs;
        void scheduler.call("index: holdPermits", () => {
          if (until > this.#permitsFrom) this.#permitsFrom = until;
          if (this.#nodes.get("controller") === node) {
            this.#leastSteppedMs = Math.min(offMs, this.#steppedMs);
          }
        });
      },
    };
  }

  #watchOf(drivers: ReadonlyMap<string, Driver>): BackendWatch {
    return new BackendWatch({
      backends: [...drivers.keys()],
      status: async (backend, options) => {
        const driver = drivers.get(backend);
        if (driver === undefined) throw new EngineError("NOT_FOUND", `there is no ${backend}`);
        return driver.status(options);
      },
      now: () => new Date(),
      onChange: ({ backend, state }) => {
        this.#parts.scheduler.note(() => `${backend} is held to be ${state}`);
      },
    });
  }

  async #startWorker(node: SimulatedNode): Promise<void> {
    const { setup, queue } = this.#parts;
    await startWorker({
      store: queue.client(node),
      node: { name: node.name } as Parameters<typeof startWorker>[0]["node"],
      drivers: this.#drivers(node),
      api: this.#api(),
      settings: { objectsAtOnce: setup.objectsAtOnce, proofAgeMaxMs: setup.proofAgeMaxMs },
      concurrency: 2,
      onError: (error) => {
        this.#parts.scheduler.note(() => `reports: ${error.message}`);
      },
    });
  }

  #drivers(node: SimulatedNode): ReadonlyMap<string, Driver> {
    const { scheduler, random, faults, promises, defect } = this.#parts;
    const role = node.name === "controller" ? "controller" : "worker";
    const moment: DriverWorld["moment"] = (what, by) => {
      this.onMoment(what, by);
    };
    const looksFirst = this.#parts.setup.looksFirst === true;
    const world: DriverWorld = {
      scheduler,
      random,
      faults,
      watcher: promises,
      moment,
      looksFirst,
    };
    return new Map(
      [...this.#parts.backends].map(([name, backend]) => {
        const driver = new ModelDriver(backend, node, world);
        return [name, withDefects<Driver>(driver, defect.driver?.(driver, role) ?? {})];
      }),
    );
  }

  /** Each call of the controller to its index can be the last thing it does. */
  #controllersIndex(node: SimulatedNode): DispatchIndex {
    const { index, scheduler, promises, restraints } = this.#parts;
    const batches = new Map<string, Batch>();
    let roundFrom = 0;
    return new Proxy(index, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...values: unknown[]) => Promise<unknown>;
        return async (...values: unknown[]) =>
          scheduler.call(`index: ${String(name)}`, async () => {
            const result = await method.apply(target, values);
            if (name === "runs") roundFrom = scheduler.now;
            if (name === "pendingBatches") {
              for (const batch of result as readonly Batch[]) {
                batches.set(`${batch.runId} ${batch.number}`, batch);
              }
            }
            if (name === "markQueued") {
              const [run, numbers] = values as Parameters<DispatchIndex["markQueued"]>;
              for (const number of numbers) {
                const batch = batches.get(`${run} ${number}`);
                const why = batch && restraints.against(batch, roundFrom);
                if (why !== undefined) promises.handedOut(run, number, why);
              }
            }
            if (name === "commitCopies") {
              const { permits } = result as Awaited<ReturnType<DispatchIndex["commitCopies"]>>;
              for (const permit of permits) promises.issued(permit);
              if (permits.length > 0) this.onMoment("permitted", node);
            }
            promises.told(name as keyof DispatchIndex, values);
            return result;
          });
      },
    });
  }

  /** What the controller's clock shows: workers use permits by it. */
  #controllersTime(): string {
    const { scheduler } = this.#parts;
    const controller = this.#nodes.get("controller");
    if (controller?.alive !== true || controller.frozenUntil > scheduler.now) {
      throw new EngineError("UNAVAILABLE", "the controller does not answer");
    }
    return wallTime(scheduler.now, controller).toISOString();
  }

  /** As much of the engine as it takes to tell workers what to do with active steps. */
  #asEngine(): Parameters<typeof stepControls>[0] {
    const { index } = this.#parts;
    const part = {
      index: { run: (id: string) => index.run(id), controls: { cancelledWork: async () => [] } },
      now: () => new Date(),
    };
    return part as unknown as Parameters<typeof stepControls>[0];
  }

  #api(): WorkerApi {
    const { index, scheduler, faults, setup } = this.#parts;
    const ask = <Result>(what: string, answer: () => Promise<Result>) =>
      scheduler.call(
        `api: ${what}`,
        () => {
          const controller = this.#nodes.get("controller");
          const up = controller?.alive === true && controller.frozenUntil <= scheduler.now;
          if (!up) throw new EngineError("UNAVAILABLE", "the controller does not answer");
          return answer();
        },
        { fault: faults.ofApi() },
      );
    return {
      segment: (planCid, from, to) => ask("segment", () => index.segment(planCid, from, to)),
      stepControls: (steps) =>
        ask("step controls", () => stepControls(this.#asEngine(), this.#admission, steps)),
      reportOutage: (report) =>
        ask("report outage", async () => {
          if (setup.watched === true) this.#watch?.report(report);
        }),
      heartbeat: async () => ({ at: this.#controllersTime() }),
    };
  }
}

/** What policies say of objects now. */
function said(
  ids: readonly number[],
  holds: ReadonlySet<number>,
  promises: ReadonlyMap<number, PolicyWord>,
): PolicyWords {
  const held: PolicyWord = { refused: { reason: "held", message: "a hold protects the object" } };
  const words = ids.map((id) => [id, holds.has(id) ? held : promises.get(id)] as const);
  return new Map(words.flatMap(([id, word]) => (word === undefined ? [] : [[id, word]])));
}
