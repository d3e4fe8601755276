import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startDispatcher, type Dispatcher, type DispatcherOptions } from "#jobs/dispatcher.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { StepSettings } from "#jobs/step-context.ts";
import { startWorker, type RunningWorker, type WorkerApi } from "#jobs/worker.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { NodeReport } from "#model/node.ts";
import { LocalStores } from "../jobs/local-stores.ts";
import { MemoryIndex } from "./memory-index.ts";

let namespaces = 0;

/** What a forked worker is told (see test/jobs/fixtures/worker-process.ts). */
export interface WorkerOrders {
  readonly queueUrl: string;
  readonly namespace: string;
  readonly apiUrl: string;
  readonly folder: string;
  readonly backends: readonly string[];
  /** Each write takes at least so long, so that it can be interrupted. */
  readonly writeMs: number;
}

/** A controller with a model index, local stores, and workers in this process or in others. */
export class TestEngine implements AsyncDisposable {
  readonly index = new MemoryIndex();
  readonly stores: LocalStores;
  readonly queue: QueueStore;
  readonly errors: EngineError[] = [];
  readonly #queueUrl: string;
  readonly #namespace: string;
  readonly #closing: (() => Promise<unknown>)[] = [];
  #api: Server | undefined;

  private constructor(stores: LocalStores, queue: QueueStore, url: string, namespace: string) {
    this.stores = stores;
    this.queue = queue;
    this.#queueUrl = url;
    this.#namespace = namespace;
  }

  static async open(queueUrl: string): Promise<TestEngine> {
    namespaces += 1;
    const namespace = `test_${process.pid}_${namespaces}`;
    const queue = await openQueueStore({ url: queueUrl, namespace });
    return new TestEngine(await LocalStores.open(), queue, queueUrl, namespace);
  }

  readonly api: { -readonly [Call in keyof WorkerApi]: WorkerApi[Call] } = {
    segment: (planCid, from, to) => this.index.segment(planCid, from, to),
    stepControls: async (steps) =>
      steps.map(({ runId }) => ({ control: this.index.control(runId) })),
    heartbeat: async () => ({ at: new Date().toISOString() }),
  };

  async drivers(...names: readonly string[]): Promise<Map<string, Driver>> {
    const drivers = new Map<string, Driver>();
    for (const name of names) drivers.set(name, await this.stores.driver(name));
    return drivers;
  }

  async dispatch(
    drivers: ReadonlyMap<string, Driver>,
    options: Partial<DispatcherOptions> = {},
  ): Promise<Dispatcher> {
    const dispatcher = await startDispatcher({
      store: this.queue,
      index: this.index,
      drivers,
      askPolicies: async () => new Map(),
      onError: (error) => this.errors.push(error),
      repairEveryMs: 500,
      ...options,
    });
    this.#closing.unshift(() => dispatcher.close());
    return dispatcher;
  }

  async work(
    drivers: ReadonlyMap<string, Driver>,
    settings: Partial<StepSettings> = {},
    now?: () => Date,
  ): Promise<RunningWorker> {
    const worker = await startWorker({
      store: this.queue,
      node: nodeReport([...drivers.keys()]),
      drivers,
      api: this.api,
      settings,
      ...(now === undefined ? {} : { now }),
      onError: (error) => this.errors.push(error),
    });
    this.#closing.unshift(() => worker.close());
    return worker;
  }

  /** A worker in a process of its own, which may be killed. */
  async fork(backends: readonly string[], writeMs: number): Promise<ChildProcess> {
    const orders: WorkerOrders = {
      queueUrl: this.#queueUrl,
      namespace: this.#namespace,
      apiUrl: await this.#serve(),
      folder: this.stores.folder,
      backends,
      writeMs,
    };
    const file = new URL("../jobs/fixtures/worker-process.ts", import.meta.url);
    const child = fork(file, [JSON.stringify(orders)]);
    const exited = once(child, "exit");
    this.#closing.unshift(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    await once(child, "message");
    return child;
  }

  /**
   * What forked workers began with their drivers, written down before it happens: `write cid`,
   * `verify cid`. `finished` has the writes that returned.
   */
  async journal(name: "journal" | "finished" = "journal"): Promise<readonly string[]> {
    const text = await readFile(join(this.stores.folder, name), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  async ended(runId: string, timeoutMs = 40_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const run = (await this.index.runs()).find((candidate) => candidate.id === runId);
      if (run !== undefined && run.progress.remaining === 0) {
        if (run.state !== "running") return run.state;
      }
      await sleep(20);
    }
    throw new Error(`run ${runId} did not end: ${JSON.stringify(await this.index.runs())}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closing) await close();
    await this.queue.close();
    this.#api?.closeAllConnections();
    this.#api?.close();
    await this.stores[Symbol.asyncDispose]();
  }

  async #serve(): Promise<string> {
    this.#api ??= createServer((request, response) => {
      void (async () => {
        const url = new URL(request.url ?? "", "http://localhost");
        const [name, planCid, from, to] = url.pathname.slice(1).split("/");
        if (name === "segment") {
          response.end(await this.api.segment(planCid ?? "", Number(from), Number(to)));
        } else response.end(this.index.control(planCid ?? ""));
      })();
    });
    if (!this.#api.listening) {
      this.#api.listen(0, "127.0.0.1");
      await once(this.#api, "listening");
    }
    const address = this.#api.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return `http://127.0.0.1:${port}`;
  }
}

export function nodeReport(backends: readonly string[]): NodeReport {
  return {
    name: `test-${process.pid}`,
    roles: ["worker"],
    labels: {},
    architecture: process.arch,
    platform: process.platform,
    version: "test",
    pid: process.pid,
    backends,
    startedAt: "2026-01-01T00:00:00Z",
  };
}

/** Waits until a condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${condition.toString()}`);
    await sleep(20);
  }
}
