import type { Database } from "#index/database.ts";
import type { Transaction } from "#index/transaction.ts";
import { actAsEngine } from "#model/acting.ts";

/** How some writes share transactions. */
export interface Sharing<Item, Result> {
  /** Whether one more goes along with what is taken already, of which there is at least one. */
  fits(taken: readonly Item[], next: Item): boolean;
  /** Writes them; what is refused by itself has written nothing. Throws when all must be undone. */
  write(
    transaction: Transaction,
    items: readonly Item[],
  ): Promise<readonly PromiseSettledResult<Result>[]>;
}

interface Waiting<Item, Result> extends PromiseWithResolvers<Result> {
  readonly item: Item;
}

/**
 * Writes on their way into the index. A transaction costs much the same for one as for ten: what
 * arrives while others are written shares the next one. Each is still accepted or refused by
 * itself, because when a shared transaction fails its items are written one by one.
 */
export class SharedWrites<Item, Result> {
  readonly #database: Database;
  readonly #sharing: Sharing<Item, Result>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #writing = false;

  constructor(database: Database, sharing: Sharing<Item, Result>) {
    this.#database = database;
    this.#sharing = sharing;
  }

  async write(item: Item): Promise<Result> {
    const waiting = { item, ...Promise.withResolvers<Result>() };
    this.#waiting.push(waiting);
    // Whoever comes first writes for the others as well, and not in anybody's name.
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
    let group: readonly Waiting<Item, Result>[] = [];
    try {
      await this.#writeTogether(() => (group = this.#take()));
    } catch (error) {
      if (group.length === 0) {
        // Refused before its turn, as all are who wait: each would wait as long for the same answer.
        for (const { reject } of this.#waiting.splice(0)) reject(error);
        return;
      }
      const [only, ...others] = group;
      if (others.length === 0) only?.reject(error);
      else for (const one of group) await this.#writeTogether(() => [one]).catch(one.reject);
    }
  }

  /** They are taken when it is their turn: until then more may come. */
  async #writeTogether(take: () => readonly Waiting<Item, Result>[]): Promise<void> {
    let group: readonly Waiting<Item, Result>[] = [];
    const results = await this.#database.write(async (transaction) => {
      group = take();
      return await this.#sharing.write(
        transaction,
        group.map(({ item }) => item),
      );
    });
    for (const [at, { resolve, reject }] of group.entries()) {
      const result = results[at];
      if (result?.status === "fulfilled") resolve(result.value);
      else reject(result?.reason ?? new Error("it was not written"));
    }
  }

  /** The first, and those that fit to it; the others keep their order. */
  #take(): readonly Waiting<Item, Result>[] {
    const taken: Waiting<Item, Result>[] = [];
    const items: Item[] = [];
    const rest: Waiting<Item, Result>[] = [];
    for (const waiting of this.#waiting.splice(0)) {
      if (items.length === 0 || this.#sharing.fits(items, waiting.item)) {
        taken.push(waiting);
        items.push(waiting.item);
      } else rest.push(waiting);
    }
    this.#waiting.push(...rest);
    return taken;
  }
}
