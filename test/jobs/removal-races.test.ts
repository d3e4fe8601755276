import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { settlePermit } from "#jobs/settle-permits.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { readSegment, segmentCid } from "#jobs/segment.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { Batch, RemoveOutcome, Run } from "#model/run.ts";
import { integerBetween, pickOne, seededRandom } from "../../scripts/seeded-random.ts";
import { makePlan, stepOf, type TestAction } from "../index/make-plan.ts";
import { openIndex } from "../index/open-index.ts";
import { context, hour } from "../index/run-steps.ts";
import { LocalStores } from "./local-stores.ts";
import { type Fate, RemoveJob, workOn } from "./race-worker.ts";

const [hot, cold] = [0, 1] as const;
const objectsPerRound = 250;
/** `npm run races` runs as many as one likes. */
const asked = process.env["THERMOCLINE_TEST_RACES"];
const races = Number(asked ?? 2 * objectsPerRound);
const rounds = Math.ceil(races / objectsPerRound);
/** Whoever asked for a number of them waits for it, however busy the machine is. */
const timeoutMs = asked === undefined ? 300_000 : 0;
const settleMarginMs = 3 * 60_000;
/** A worker dies about once in so many calls of its drivers. */
const callsPerDeath = 100;

test(
  `${rounds * objectsPerRound} races of two runs for the last two copies leave every object one`,
  async () => {
    await using arena = await Arena.open(
      Number(process.env["THERMOCLINE_TEST_SEED"] ?? 20_261_121),
    );
    const ends = { "first won": 0, "second won": 0, "both refused": 0, "nothing left": 0 };
    for (let round = 0; round < rounds; round += 1) {
      const objects = await arena.store(round);
      const [first, second] = await arena.begin(objects);
      await arena.race([first, second]);
      if (round % 2 === 1) await arena.crash();
      await arena.settle([first, second]);
      expect(await arena.open([first, second])).toBe(0);
      const places = await arena.places(objects);
      for (const [at, { victim }] of arena.planOf(objects).entries()) {
        const place = places[at] ?? "";
        const firstWon = place === (victim === hot ? "cold" : "hot");
        if (place === "") ends["nothing left"] += 1;
        else if (place === "hot cold") ends["both refused"] += 1;
        else ends[firstWon ? "first won" : "second won"] += 1;
      }
      expect(await arena.believed(objects)).toEqual(places);
    }
    const told = Object.entries(ends).map(([end, count]) => `${end} ${count}`);
    console.info(`${rounds * objectsPerRound} races: ${told.join(", ")}; ${arena.deaths} deaths`);
    expect(ends["nothing left"]).toBe(0);
    expect(ends["first won"]).toBeGreaterThan(0);
    expect(ends["second won"]).toBeGreaterThan(0);
    expect(arena.deaths).toBeGreaterThan(0);
    expect(await arena.unsound()).toEqual([]);
  },
  timeoutMs,
);

interface Stored extends ObjectRef {
  readonly objectId: number;
}

/** The real index, real stores and the real handler; only the order of things is ours. */
class Arena implements AsyncDisposable {
  deaths = 0;
  #index: ObjectIndex;
  readonly #path: string;
  readonly #folder: string;
  readonly #stores: LocalStores;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];
  /** Of the clock that the index and the runs go by. */
  #aheadMs = 0;

  private constructor(
    opened: Awaited<ReturnType<typeof openIndex>>,
    stores: LocalStores,
    drivers: ReadonlyMap<string, Driver>,
    seed: number,
  ) {
    this.#index = opened.index;
    this.#path = opened.path;
    this.#folder = opened.folder;
    this.#stores = stores;
    this.#drivers = drivers;
    this.#random = seededRandom(seed);
  }

  static async open(seed: number): Promise<Arena> {
    const stores = await LocalStores.open();
    const drivers = new Map<string, Driver>();
    for (const name of ["hot", "cold"]) drivers.set(name, await stores.driver(name));
    return new Arena(await openIndex(["hot", "cold"]), stores, drivers, seed);
  }

  #now(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  /** New objects, each with an intact copy on both backends. */
  async store(round: number): Promise<readonly Stored[]> {
    const objects = [];
    for (let at = 0; at < objectsPerRound; at += 1) {
      const bytes = Buffer.from(`object ${at} of round ${round}`);
      const copies = [];
      for (const backend of ["hot", "cold"]) {
        const { object, copy } = await this.#stores.put(backend, bytes);
        const facts = { state: "present", confidence: "verified", checkedAt: this.#now() } as const;
        copies.push({ object, backend, copy, ...facts });
      }
      const facts = { type: undefined, collection: undefined, owner: undefined, tags: [] };
      const [first] = copies;
      if (first === undefined) throw new Error("no copy");
      objects.push({
        ...first.object,
        ...facts,
        names: [],
        created: undefined,
        modified: undefined,
        copies,
      });
    }
    await this.#index.putObjects(objects, this.#now());
    const firstId = round * objectsPerRound;
    return objects.map(({ cid, size, profile }, at) => ({
      cid,
      size,
      profile,
      objectId: firstId + at,
    }));
  }

  /** What the first run does: blocks of evictions, now from one backend, now from the other. */
  planOf(objects: readonly Stored[]): readonly (TestAction & { readonly victim: number })[] {
    const random = seededRandom(objects[0]?.objectId ?? 0);
    let victim: number = hot;
    let left = 0;
    return objects.map(({ objectId }) => {
      if (left === 0) {
        left = integerBetween(random, 20, 80);
        victim = victim === hot ? cold : hot;
      }
      left -= 1;
      return { verb: "evict", object: objectId, victim };
    });
  }

  /** Two runs: what the first evicts from one backend, the second evicts from the other. */
  async begin(objects: readonly Stored[]): Promise<readonly [Run, Run]> {
    const plan = this.planOf(objects);
    const opposite = plan.map((action) => ({
      ...action,
      victim: action.victim === hot ? cold : hot,
    }));
    // Cut elsewhere, so that blocks of the two runs overlap.
    const shift = integerBetween(this.#random, 0, objectsPerRound - 1);
    const turned = [...opposite.slice(shift), ...opposite.slice(0, shift)].toReversed();
    const start = async (actions: readonly TestAction[]) =>
      this.#index.beginRun(await makePlan(this.#index, this.#folder, actions), this.#now());
    return [await start(plan), await start(turned)];
  }

  /** All batches of the runs at once, interleaved at every call of a driver or of the index. */
  async race(runs: readonly Run[]): Promise<void> {
    for (const { id, progress } of runs) {
      const numbers = Array.from({ length: progress.actions }, (_, number) => number);
      await this.#index.markQueued(id, numbers);
    }
    await this.#carryOutQueued(runs);
  }

  /** How many batches were left to carry out. */
  async #carryOutQueued(runs: readonly Run[]): Promise<number> {
    const batches: Batch[] = [];
    for (const { id, progress } of runs) {
      batches.push(...(await this.#index.queuedBatches(id, -1, progress.actions)));
    }
    await Promise.all(batches.map((batch) => this.#carryOut(batch)));
    return batches.length;
  }

  async #carryOut(batch: Batch): Promise<void> {
    const now = () => this.#now();
    await this.#turn();
    const bytes = await this.#index.segment(batch.planCid, batch.from, batch.to);
    const step = { ...stepOf(batch), segmentCid: segmentCid(bytes) };
    const admit = () => this.#index.commitCopies(step, [], context({ now: now() }));
    const permitted = await this.#perhapsTwice(admit);
    const job = new RemoveJob(step, readSegment(bytes, step), permitted);
    const fate: Fate = { turn: () => this.#turn(), death: () => this.#death(), now };
    let outcomes: readonly RemoveOutcome[] | "died" = "died";
    while (outcomes === "died") {
      outcomes = await workOn(job, this.#drivers, fate);
      if (outcomes !== "died") break;
      this.deaths += 1;
      // Sometimes nobody takes the job over: its queue was lost, and permits run out.
      if (this.#random() < 0.3) return;
    }
    await this.#turn();
    const ended = outcomes;
    await this.#perhapsTwice(() => this.#index.commitRemovals(step, ended, now()));
  }

  /** Results are delivered at least once. */
  async #perhapsTwice<Result>(deliver: () => Promise<Result>): Promise<Result> {
    const result = await deliver();
    return this.#random() < 0.1 ? deliver() : result;
  }

  #death(): "before" | "after" | undefined {
    if (this.#random() * callsPerDeath >= 1) return undefined;
    return pickOne(this.#random, ["before", "after"] as const);
  }

  /** Whoever waits goes on in an order of chance. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      setImmediate(() => {
        const place = integerBetween(this.#random, 0, this.#waiting.length - 1);
        this.#waiting.splice(place, 1)[0]?.();
      });
    });
  }

  /** The controller dies and comes back. */
  async crash(): Promise<void> {
    await this.#index.close();
    this.#index = await ObjectIndex.open(this.#path, { threads: 2 });
  }

  /**
   * Permits run out; what became of them is asked of the stores. What was not removed goes on with
   * other permits, until nothing is left.
   */
  async settle(runs: readonly Run[]): Promise<void> {
    const asking = { drivers: this.#drivers, index: this.#index, now: () => this.#now() };
    do {
      this.#aheadMs += hour + settleMarginMs;
      for (const permit of await this.#index.expiredPermits(this.#now())) {
        await settlePermit(permit, asking);
      }
    } while ((await this.#carryOutQueued(runs)) > 0);
    await this.#index.finishRuns(this.#now());
  }

  /** Actions of these runs that have no outcome, and runs that did not end. */
  async open(runs: readonly Run[]): Promise<number> {
    let open = 0;
    for (const { id } of runs) {
      const run = await this.#index.run(id);
      open += run?.endedAt === undefined ? objectsPerRound : run.progress.remaining;
    }
    return open;
  }

  /** Where the objects really are. */
  async places(objects: readonly Stored[]): Promise<readonly string[]> {
    const places = [];
    for (const object of objects) {
      const on = [];
      for (const [name, driver] of this.#drivers) {
        if ((await driver.stat(object)) !== undefined) on.push(name);
      }
      places.push(on.join(" "));
    }
    return places;
  }

  /** Where the index believes them to be. */
  async believed(objects: readonly Stored[]): Promise<readonly string[]> {
    return this.#rows(
      `SELECT string_agg(backend, ' ' ORDER BY backend_id) AS line FROM copy
       WHERE state = 'present' AND object_id >= ${objects[0]?.objectId ?? 0}
       GROUP BY object_id ORDER BY object_id`,
    );
  }

  /** Actions with no or several outcomes, and proofs without a permit. */
  async unsound(): Promise<readonly string[]> {
    const outcomes = await this.#rows(
      `SELECT concat(run_id, ' ', sequence) AS line FROM ledger WHERE kind = 'outcome'
       GROUP BY run_id, sequence HAVING count(*) <> 1`,
    );
    const proofs = await this.#rows(
      `SELECT p.detail AS line FROM ledger AS p LEFT JOIN (
         SELECT detail ->> 'permit' AS permit, min(entry_id) AS issued FROM ledger
         WHERE kind = 'permit' GROUP BY permit
       ) AS m ON m.permit = (p.detail ->> 'permit')
       WHERE p.kind = 'proof' AND (m.issued IS NULL OR m.issued > p.entry_id)`,
    );
    return [...outcomes, ...proofs];
  }

  async #rows(text: string): Promise<readonly string[]> {
    await using session = await this.#index.session();
    return (await session.rows({ text, parameters: [] })).map((row) => String(row["line"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index.close();
    await this.#stores[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
