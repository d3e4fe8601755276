import type { Database } from "#index/database.ts";
import { commitCopies, type CopyCommit } from "#index/runs/commit-copies.ts";
import { acting, actAsEngine } from "#model/acting.ts";
import { batchObjectsMax, type CommitResult } from "#model/run.ts";

/**
 * Measured with batches of a thousand objects: four together cost less than half of what each costs
 * alone, sixteen no less, but then a pause waits many times as long for its turn.
 */
const objectsTogetherMax = 4 * batchObjectsMax;
/** Batches of large objects have few of them, and cost a transaction all the same. */
const batchesTogetherMax = 24;

interface Waiting extends PromiseWithResolvers<CommitResult> {
  readonly commit: CopyCommit;
}

/**
 * Copy steps on their way into the index. A transaction costs much the same for one batch as for
 * ten: what arrives while others are written shares the next one. Each step is still accepted or
 * refused by itself, because when a shared transaction fails its steps are written one by one.
 */
export class SharedCommits {
  readonly #database: Database;
  readonly #waiting: Waiting[] = [];
  #writing = false;

  constructor(database: Database) {
    this.#database = database;
  }

  async commit(commit: CopyCommit): Promise<CommitResult> {
    // Removals are judged batch by batch; what a person has done carries the person's name.
    const { target, victim } = commit.step;
    if (target === null || victim !== null || acting() !== undefined) return this.#alone(commit);
    const waiting = { commit, ...Promise.withResolvers<CommitResult>() };
    this.#waiting.push(waiting);
    if (!this.#writing) void actAsEngine(() => this.#writeAll());
    return await waiting.promise;
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) await this.#writeSome();
    this.#writing = false;
  }

  /** Never throws: whoever waits hears of it. */
  async #writeSome(): Promise<void> {
    let group: readonly Waiting[] = [];
    try {
      const results = await this.#database.write(async (transaction) => {
        group = this.#take();
        return await commitCopies(
          transaction,
          group.map(({ commit }) => commit),
        );
      });
      group.forEach(({ resolve }, at) => {
        resolve(results[at] as CommitResult);
      });
    } catch (error) {
      // Refused before its turn: nobody was taken yet.
      if (group.length === 0) group = this.#waiting.splice(0, 1);
      const [only, ...others] = group;
      if (others.length === 0) only?.reject(error);
      else await this.#oneByOne(group);
    }
  }

  /**
   * Those of one run and target, each batch once; the others keep their order. What goes to one
   * target lies close together in the plan, and is found without reading what lies between.
   */
  #take(): readonly Waiting[] {
    const taken: Waiting[] = [];
    const rest: Waiting[] = [];
    const batches = new Set<number>();
    const first = this.#waiting[0]?.commit.step;
    let objects = 0;
    for (const waiting of this.#waiting.splice(0)) {
      const { runId, target, batch } = waiting.commit.step;
      const alike = runId === first?.runId && target === first.target;
      const more = waiting.commit.outcomes.length;
      const fits =
        taken.length === 0 ||
        (taken.length < batchesTogetherMax && objects + more <= objectsTogetherMax);
      if (alike && fits && !batches.has(batch)) {
        taken.push(waiting);
        batches.add(batch);
        objects += more;
      } else rest.push(waiting);
    }
    this.#waiting.push(...rest);
    return taken;
  }

  async #oneByOne(group: readonly Waiting[]): Promise<void> {
    for (const { commit, resolve, reject } of group) {
      await this.#alone(commit).then(resolve, reject);
    }
  }

  async #alone(commit: CopyCommit): Promise<CommitResult> {
    const [result] = await this.#database.write((transaction) =>
      commitCopies(transaction, [commit]),
    );
    return result as CommitResult;
  }
}
