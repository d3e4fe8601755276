import type { EngineContext } from "#engine/context.ts";
import type { LockAnswer } from "#index/inventories/inventory-store.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { AskedLocks } from "#model/inventory.ts";

/** So many copies are asked about after one inventory; others are met when they are verified or removed. */
const askedMax = 10_000;
const askedAtOnce = 16;
const recordedAtOnce = 512;

/** Whose locks are asked for. */
export interface LockQuestions {
  readonly index: Pick<EngineContext["index"], "inventories">;
  readonly driver: Driver;
  readonly backend: string;
  /** Of when the inventory is that comes before. */
  readonly begunAt: Date;
  readonly now: () => Date;
}

/**
 * After an inventory, asks a backend that may lock copies about those that it is known to lock, whose
 * lock somebody may have lifted, and about those that the inventory was the first to tell of: no
 * listing says it. Yields now and then; gives what it found, and why it stopped if it had to.
 */
export async function* askForLocks({
  index: { inventories },
  driver,
  backend,
  begunAt,
  now,
}: LockQuestions): AsyncGenerator<void, AskedLocks | undefined> {
  if (driver.lockOf === undefined) return undefined;
  const copies = await inventories.copiesToAskForLocks(backend, begunAt, askedMax);
  let [asked, locked] = [0, 0];
  let answers: LockAnswer[] = [];
  const record = async (): Promise<void> => {
    await inventories.recordLocks(backend, answers);
    answers = [];
  };
  try {
    for (let at = 0; at < copies.length; at += askedAtOnce) {
      const seenAt = now();
      const some = copies.slice(at, at + askedAtOnce);
      await Promise.all(
        some.map(async ({ objectId, object }) => {
          const lock = await driver.lockOf?.(object);
          asked += 1;
          if (lock === undefined) return;
          if (lock !== null) locked += 1;
          answers.push({ objectId, lock, seenAt });
        }),
      );
      if (answers.length >= recordedAtOnce) await record();
      yield;
    }
    return { asked, locked };
  } catch (thrown) {
    // The inventory itself has ended well. Known locks are asked about after the next one; new
    // copies are not new any more then: what locks them is met when they are verified or removed.
    return { asked, locked, problem: EngineError.from(thrown).message };
  } finally {
    if (answers.length > 0) await record();
  }
}
