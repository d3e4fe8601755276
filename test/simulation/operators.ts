import { verifyCopies } from "#jobs/verify-copies.ts";
import type { Driver } from "#model/driver.ts";
import type { NewObject } from "#model/index-store.ts";
import type { ClusterParts } from "./cluster.ts";
import { ModelDriver } from "./model-driver.ts";
import { contents } from "./samples.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { knownObject } from "./world.ts";

/** So late a finding is told at most: a check of many copies tells them together. */
const toldLateMs = 40_000;

/** What people do with the engine's own commands, each as a process of its own. */
export class Operators {
  readonly #parts: ClusterParts;
  #turns = 0;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  /** Lists a backend and compares it with the index; the engine goes on meanwhile. */
  importAgain(backend: string): void {
    const { index, scheduler } = this.#parts;
    this.#process("import", async (drivers) => {
      const begun = new Date();
      const listed = await Array.fromAsync(drivers.get(backend)?.list() ?? []);
      await scheduler.call("index: reconcile", () =>
        index.reconcile(backend, asyncOf(listed), begun),
      );
    });
  }

  /** Has the copies that the index believes in checked, and tells it what was found. */
  verify(backends: readonly string[], lateShare: number): void {
    const { index, scheduler, promises } = this.#parts;
    this.#process("verify", async (drivers) => {
      const { copies } = await scheduler.call("index: copies", () => index.facts());
      const asked = copies.flatMap(({ object, backend, state }) => {
        const content = contents[object];
        const wanted = state === "present" && backends.includes(backend);
        return wanted && content !== undefined ? [{ object: content.object, backend }] : [];
      });
      const recordEvidence: typeof index.recordEvidence = (evidence, now) =>
        scheduler.call(
          "index: what was found",
          async () => {
            await index.recordEvidence(evidence, now);
            promises.told("recordEvidence", [evidence, now]);
          },
          { fault: { lateMs: lateShare * toldLateMs } },
        );
      const checks = verifyCopies(asyncOf(asked), drivers, { recordEvidence });
      await Array.fromAsync(checks);
    });
  }

  /** Imports content that may be known already, or be on its way out. */
  handIn(object: number, backend: string): void {
    const { index, scheduler, promises } = this.#parts;
    this.#process("hand-in", async (drivers) => {
      const driver = drivers.get(backend);
      const content = contents[object];
      if (driver === undefined || content === undefined) return;
      const { bytes } = content;
      const stream = asyncOf([bytes]);
      const body = { form: "file", bytes: bytes.length, stream } as const;
      await driver.write(content.object, body);
      const evidence = await driver.verify(content.object, "verified");
      if (evidence.finding !== "present") return;
      await scheduler.call("index: hand in", async () => {
        const given: NewObject = knownObject(object, [backend], new Date(evidence.checkedAt));
        const { beingDeleted } = await index.putObjects([given], new Date());
        scheduler.note(() => `object ${object} is handed in at ${backend}`);
        if (beingDeleted.length === 0) promises.handedIn(object, backend);
      });
    });
  }

  #process(name: string, work: (drivers: ReadonlyMap<string, Driver>) => Promise<void>): void {
    const { backends, scheduler, random, faults, promises } = this.#parts;
    const node = new SimulatedNode(name, (this.#turns += 1), 0);
    const world = { scheduler, random, faults, watcher: promises };
    const drivers = new Map(
      [...backends].map(([place, backend]) => [place, new ModelDriver(backend, node, world)]),
    );
    scheduler.as(node, () => {
      work(drivers).catch((error: unknown) => {
        scheduler.note(() => `gives up: ${String(error)}`);
      });
    });
  }
}

async function* asyncOf<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
