import type { Database } from "#index/database.ts";
import { commitCopies, type CopyCommit } from "#index/runs/commit-copies.ts";
import { SharedWrites } from "#index/shared-writes.ts";
import { acting } from "#model/acting.ts";
import { batchObjectsMax, type CommitResult } from "#model/run.ts";

/**
 * Measured with batches of a thousand objects: four together cost less than half of what each costs
 * alone, sixteen no less, but then a pause waits many times as long for its turn.
 */
const objectsTogetherMax = 4 * batchObjectsMax;
/** Batches of large objects have few of them, and cost a transaction all the same. */
const batchesTogetherMax = 24;

/** Copy steps on their way into the index. */
export class SharedCommits {
  readonly #database: Database;
  readonly #shared: SharedWrites<CopyCommit, CommitResult>;

  constructor(database: Database) {
    this.#database = database;
    this.#shared = new SharedWrites(database, {
      fits,
      write: async (transaction, commits) => {
        const results = await commitCopies(transaction, commits);
        return results.map((value) => ({ status: "fulfilled", value }));
      },
    });
  }

  async commit(commit: CopyCommit): Promise<CommitResult> {
    // Removals are judged batch by batch; what a person has done carries the person's name.
    const { target, victim } = commit.step;
    const isShared = target !== null && victim === null && acting() === undefined;
    return isShared ? await this.#shared.write(commit) : await this.#alone(commit);
  }

  async #alone(commit: CopyCommit): Promise<CommitResult> {
    const [result] = await this.#database.write((transaction) =>
      commitCopies(transaction, [commit]),
    );
    return result as CommitResult;
  }
}

/**
 * Those of one run and target, each batch once. What goes to one target lies close together in the
 * plan, and is found without reading what lies between.
 */
function fits(taken: readonly CopyCommit[], { step, outcomes }: CopyCommit): boolean {
  const first = taken[0]?.step;
  const objects = taken.reduce((all, commit) => all + commit.outcomes.length, outcomes.length);
  return (
    step.runId === first?.runId &&
    step.target === first.target &&
    taken.length < batchesTogetherMax &&
    objects <= objectsTogetherMax &&
    !taken.some((commit) => commit.step.batch === step.batch)
  );
}
