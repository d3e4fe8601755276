import type { ObjectIndex } from "#index/object-index.ts";
import { confidences, type StorageLock } from "#model/copy.ts";
import type { Batch, CopyOutcome } from "#model/run.ts";
import { integerBetween, pickOne, seededRandom } from "../../scripts/seeded-random.ts";
import { makePlan, stepOf, type TestAction } from "../index/make-plan.ts";
import { cidOf, copyOn, objectOf, start } from "../index/open-index.ts";
import { context, copied, evidenceOf, gone } from "../index/run-steps.ts";

export const backends = ["a", "b", "c", "d"];
export const objectCount = 30;

const size = 100;
const findings = ["present", "present", "absent", "corrupt"] as const;

/** Where the copies are that tests make. */
export function madeAt(backend: string): string {
  return copyOn(backend).copy.locator;
}

/** Work that the world has an index do; what it was told is kept, what it did is in its ledger. */
export class RandomCopies {
  readonly events: object[] = [];
  readonly done: Record<string, number> = {};
  readonly #index: ObjectIndex;
  readonly #folder: string;
  readonly #random: () => number;
  #minutes = 0;

  constructor(index: ObjectIndex, folder: string, seed: number) {
    this.#index = index;
    this.#folder = folder;
    this.#random = seededRandom(seed);
  }

  /** Every object is known, in the order of its number. */
  async begin(): Promise<void> {
    const objects = Array.from({ length: objectCount }, (_, number) => number);
    await this.#put(objects);
  }

  async step(): Promise<void> {
    this.#minutes += 1;
    const act = pickOne(this.#random, [
      () => this.#put(this.#some(6)),
      () => this.#check(),
      () => this.#list(),
      () => this.#run("replicate"),
      () => this.#run("replicate"),
      () => this.#run("evict"),
      () => this.#run("evict"),
    ]);
    await act?.();
  }

  get #now(): Date {
    return new Date(start.getTime() + this.#minutes * 60_000);
  }

  async #put(numbers: readonly number[]): Promise<void> {
    const objects = numbers.map((number) => {
      const copies = this.#pick(backends).map((backend) => {
        const confidence = this.#one(confidences);
        const bytes = this.#one([size, size, 99]);
        const copy = copyOn(backend, confidence, this.#now, bytes);
        const place = copy.copy.locator;
        this.#tell("told", { cid: cidOf(number), backend, confidence, bytes, place });
        return copy;
      });
      return objectOf(number, copies, { size });
    });
    await this.#index.putObjects(objects, this.#now);
  }

  async #check(): Promise<void> {
    const evidence = this.#some(5).map((number) => {
      const backend = this.#one(backends);
      const [finding, confidence] = [this.#one(findings), this.#one(confidences)];
      const looked = finding === "present" && this.#random() < 0.8;
      const lock = looked ? this.#one(this.#locks()) : undefined;
      const told = lock && [lock.legalHold, lock.until ?? null, lock.mode ?? null];
      const said = lock === undefined ? {} : { lock: told ?? [] };
      this.#tell("check", { cid: cidOf(number), backend, finding, confidence, ...said });
      const checkedAt = this.#now.toISOString();
      const found = { ...evidenceOf(number, backend, finding, confidence), checkedAt };
      return lock === undefined ? found : { ...found, lock };
    });
    await this.#index.recordEvidence(evidence, this.#now);
  }

  /** What storage may say of a lock. */
  #locks(): readonly (StorageLock | null)[] {
    const until = new Date(this.#now.getTime() + 5 * 60_000).toISOString();
    const retained = { legalHold: false, until, mode: "COMPLIANCE" };
    return [null, { legalHold: true }, retained, { legalHold: false, until }];
  }

  async #list(): Promise<void> {
    const backend = this.#one(backends);
    const listed = this.#some(objectCount).map(
      (number) => [number, this.#one([size, 99])] as const,
    );
    const copies = Object.fromEntries(listed.map(([number, bytes]) => [cidOf(number), bytes]));
    const place = this.#one([madeAt(backend), madeAt(backend), "elsewhere"]);
    this.#tell("listing", { backend, place, copies });
    async function* listing() {
      for (const [number, bytes] of listed) {
        const copy = { locator: place, form: "file", bytes } as const;
        yield await Promise.resolve({ cid: cidOf(number), copy, size, cursor: String(number) });
      }
    }
    await this.#index.reconcile(backend, listing(), this.#now);
  }

  /** One run of one batch, of which some actions fail. */
  async #run(verb: "replicate" | "evict"): Promise<void> {
    const backend = this.#one(backends);
    const id = backends.indexOf(backend);
    const place = verb === "evict" ? { victim: id } : { target: id };
    const actions = this.#some(6).map((object): TestAction => ({ verb, object, ...place }));
    const plan = await makePlan(this.#index, this.#folder, actions);
    const run = await this.#index.beginRun(plan, this.#now);
    for (const batch of await this.#index.pendingBatches(run.id, backend, 10)) {
      if (verb === "evict") await this.#remove(batch);
      else await this.#copy(batch, actions, backend);
    }
    await this.#index.finishRuns(this.#now);
  }

  async #copy(batch: Batch, actions: readonly TestAction[], backend: string): Promise<void> {
    const checkedAt = this.#now.toISOString();
    const outcomes = actions.map(({ object }, sequence): CopyOutcome => {
      if (this.#random() < 0.2) {
        return { sequence, outcome: "failed", code: "NO_SPACE", message: "full" };
      }
      return copied(sequence, object, backend, { ...evidenceOf(object, backend), checkedAt });
    });
    await this.#index.commitCopies(stepOf(batch), outcomes, context({ now: this.#now }));
    this.#count("replicate", outcomes.filter(({ outcome }) => outcome === "done").length);
  }

  async #remove(batch: Batch): Promise<void> {
    const { permits } = await this.#index.commitCopies(
      stepOf(batch),
      [],
      context({ now: this.#now }),
    );
    const outcomes = permits.map(({ id, sequence }) => gone(sequence, id));
    await this.#index.commitRemovals(stepOf(batch), outcomes, this.#now);
    this.#count("evict", permits.length);
  }

  #tell(type: string, event: object): void {
    this.events.push({ type, at: this.#now.toISOString(), ...event });
  }

  #count(what: string, by: number): void {
    this.done[what] = (this.done[what] ?? 0) + by;
  }

  /** A few objects, each at most once. */
  #some(most: number): readonly number[] {
    const count = integerBetween(this.#random, 1, most);
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(integerBetween(this.#random, 0, objectCount - 1));
    return [...chosen];
  }

  #pick<Item>(items: readonly Item[]): readonly Item[] {
    return items.filter(() => this.#random() < 0.4);
  }

  #one<Item>(items: readonly Item[]): Item {
    const item = pickOne(this.#random, items);
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }
}
