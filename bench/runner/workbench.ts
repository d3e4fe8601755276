import { join } from "node:path";
import { DuckDBInstance } from "#index/duckdb.ts";
import { Connection } from "#index/connection.ts";
import type { ObjectIndexOptions } from "#index/object-index-options.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { parseSize } from "#model/quantity.ts";
import type { BenchmarkPlace } from "./benchmark.ts";
import type { Side } from "./compare.ts";

/** What DuckDB may use for one database, unless a benchmark is about just that. */
export const duckdbLimit = "1GiB";
export const threads = 2;

/** What a benchmark works with; whatever it opens here is closed when it has ended. */
export class Workbench implements AsyncDisposable {
  readonly objects: number;
  readonly folder: string;
  readonly rounds: number;
  /** The only side that is taken, if it is not both. */
  readonly side: Side | undefined;
  readonly #opened = new AsyncDisposableStack();
  #limitBytes = 0;

  constructor({ objects, folder }: BenchmarkPlace, rounds: number, side?: Side) {
    this.objects = objects;
    this.folder = folder;
    this.rounds = rounds;
    this.side = side;
  }

  /** A file or folder of this benchmark. */
  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** What DuckDB was allowed to use in this process, all databases together. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Says that DuckDB may use so much more, besides what is opened here. */
  allow(size: string): void {
    this.#limitBytes += parseSize(size);
  }

  /** An index within the limit, that which was prepared unless another name is given. */
  async openIndex(name = "index.duckdb", options: ObjectIndexOptions = {}): Promise<ObjectIndex> {
    const limits = { threads, memoryLimit: duckdbLimit };
    const index = await ObjectIndex.open(this.path(name), { ...limits, ...options });
    this.allow(duckdbLimit);
    this.#opened.defer(() => index.close());
    return index;
  }

  /** A database of the other side, with the same limit. */
  async openDuckdb(name = ":memory:"): Promise<Connection> {
    const path = name === ":memory:" ? name : this.path(name);
    const instance = await DuckDBInstance.create(path, {
      threads: String(threads),
      memory_limit: duckdbLimit,
    });
    this.allow(duckdbLimit);
    const connection = new Connection(await instance.connect());
    this.#opened.defer(() => {
      connection.close();
      instance.closeSync();
    });
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
