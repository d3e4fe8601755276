import { cidKey } from "#index/cid-key.ts";
import { collectYoung } from "#index/collect-young.ts";
import type { Connection, StageType, StageValue } from "#index/connection.ts";
import { chunkRowsMax } from "#index/stage-chunk.ts";
import type { StorageLock } from "#model/copy.ts";
import type { ListedCopy } from "#model/driver.ts";

/** Longer ones are no names for people. */
const nameLengthMax = 4_096;

const listedColumns = {
  position: "BIGINT",
  cid_key: "BIGINT",
  cid: "BLOB",
  locator: "VARCHAR",
  form: "VARCHAR",
  bytes: "BIGINT",
  size: "BIGINT",
  name: "VARCHAR",
  legal_hold: "BOOLEAN",
  lock_until: "TIMESTAMP",
  lock_mode: "VARCHAR",
} as const satisfies Record<string, StageType>;

/** Collects listed copies in a temporary table, so that few of them are in this heap. */
export class ListingStage {
  readonly #connection: Connection;
  readonly #table: string;
  #position: number;
  #rows: StageValue[][] = [];

  private constructor(connection: Connection, table: string, position: number) {
    this.#connection = connection;
    this.#table = table;
    this.#position = position;
  }

  /** Makes the table, empty; its rows count from `position` on. */
  static async begin(connection: Connection, table: string, position = 0): Promise<ListingStage> {
    await connection.stage(table, listedColumns, []);
    return new ListingStage(connection, table, position);
  }

  async add({ cid, copy, size, name, lock }: Omit<ListedCopy, "cursor">): Promise<void> {
    const { key, bytes } = cidKey(cid);
    const { locator, form, bytes: stored } = copy;
    const row = [this.#position, key, bytes, locator, form, stored, size, pathOf(name)];
    this.#rows.push([...row, ...lockRow(lock)]);
    this.#position += 1;
    if (this.#rows.length < chunkRowsMax) return;
    await this.flush();
    // They are garbage by now, with what they were made of: left alone, V8 holds a hundred MiB of it.
    collectYoung();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    await this.#connection.appendStage(this.#table, Object.values(listedColumns), rows);
  }
}

function lockRow(lock: StorageLock | undefined): readonly StageValue[] {
  if (lock === undefined) return [null, null, null];
  const until = lock.until === undefined ? null : new Date(lock.until);
  return [lock.legalHold, until, lock.mode ?? null];
}

/** What a backend calls a copy, as a name of its object. */
function pathOf(name: string | undefined): string | undefined {
  if (name === undefined || name === "" || name.length > nameLengthMax) return undefined;
  return name.startsWith("/") ? name : `/${name}`;
}
