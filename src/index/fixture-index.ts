import { backendIds, requireBackend, syncBackends } from "#index/backends.ts";
import { cidKey, cidText } from "#index/cid-key.ts";
import { Database } from "#index/database.ts";
import { ensureHeatSettings, heatSettings } from "#index/heat-settings.ts";
import { holdObjects } from "#index/holds.ts";
import { putObjects } from "#index/put-objects.ts";
import { IndexSession } from "#index/read-session.ts";
import { countAccesses } from "#index/count-accesses.ts";
import { type LockFinding, recordLocks } from "#index/storage-locks.ts";
import type { Transaction } from "#index/transaction.ts";
import type { FixtureObject } from "#model/fixture.ts";
import type { BackendFacts, HeatSettings } from "#model/index-store.ts";

export interface FixtureIndexOptions {
  /** Later than everything that is supposed. */
  readonly now: Date;
  readonly heatHalfLifeMs?: number | undefined;
  readonly memoryLimit?: string;
}

/**
 * An index in memory that is filled at one stroke with what policy tests suppose: the tables,
 * views and statements are those of every index, so that what is read from it is what a real one
 * would give. It ends with the process that made it.
 */
export class FixtureIndex implements AsyncDisposable {
  readonly #database: Database;
  readonly #now: Date;

  private constructor(database: Database, now: Date) {
    this.#database = database;
    this.#now = now;
  }

  static async open({
    now,
    heatHalfLifeMs,
    memoryLimit = "1GiB",
  }: FixtureIndexOptions): Promise<FixtureIndex> {
    const database = await Database.open(":memory:", {
      readOnly: false,
      memoryLimit,
      // A few rows: handing them to several threads costs more than it gains.
      threads: 1,
      now,
    });
    await ensureHeatSettings(database, heatHalfLifeMs, now);
    return new FixtureIndex(database, now);
  }

  /** Fills the index. Gives the ids of the objects, in their order, and of backends by name. */
  async load(
    backends: readonly BackendFacts[],
    objects: readonly FixtureObject[],
  ): Promise<{ objects: readonly number[]; backends: ReadonlyMap<string, number> }> {
    return await this.#database.write(async (transaction) => {
      await syncBackends(transaction, backends);
      await putObjects(transaction, objects, this.#now, 0, "list");
      const ids = await objectIds(transaction, objects);
      const accesses = objects.flatMap((object) => object.accesses);
      if (accesses.length > 0) await countAccesses(transaction, [accesses], this.#now);
      const held = ids.filter((_, at) => objects[at]?.held === true);
      if (held.length > 0) await holdObjects(transaction, held, "supposed by a test", this.#now);
      const byName = await backendIds(transaction.connection);
      await setFacts(transaction, objects, ids, byName);
      const locks = objects.flatMap((object, at) =>
        object.locks.map(({ backend, lock }): LockFinding => {
          const backendId = requireBackend(byName, backend);
          return { objectId: ids[at] ?? -1, backendId, lock, seenAt: this.#now };
        }),
      );
      await recordLocks(transaction, locks);
      return { objects: ids, backends: byName };
    });
  }

  async heat(): Promise<HeatSettings> {
    return await this.#database.read(heatSettings);
  }

  async session(): Promise<IndexSession> {
    return await IndexSession.begin(await this.#database.connect(), () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close();
  }
}

async function objectIds(
  transaction: Transaction,
  objects: readonly FixtureObject[],
): Promise<readonly number[]> {
  const rows = await transaction.rows<{ object_id: number; cid: Uint8Array }>(
    "SELECT object_id, cid FROM objects",
  );
  const byCid = new Map(rows.map((row) => [cidText(row.cid), row.object_id]));
  return objects.map(({ cid }) => byCid.get(cidText(cidKey(cid).bytes)) ?? -1);
}

/** What no single call of an index sets: it comes about in service, step by step. */
async function setFacts(
  transaction: Transaction,
  objects: readonly FixtureObject[],
  ids: readonly number[],
  backends: ReadonlyMap<string, number>,
): Promise<void> {
  const { landmark, halfLifeMs } = await heatSettings(transaction.connection);
  const weightOf = ({ heat }: FixtureObject): number | null =>
    heat === undefined
      ? null
      : heat.value * 2 ** ((heat.at.getTime() - landmark.getTime()) / halfLifeMs);
  const rows = objects.map((object, at) => [
    ids[at] ?? -1,
    object.ingested,
    object.tombstoned ?? null,
    object.moved ?? null,
    object.arriving.reduce(
      (mask, name) => mask | (1n << BigInt(requireBackend(backends, name))),
      0n,
    ),
    weightOf(object),
  ]);
  await transaction.stage("fixture_facts", factColumns, rows);
  await transaction.run(setObjectFacts);
  const leases = objects.flatMap((object, at) =>
    object.leases.map(({ rule, backend, since }) => [
      ids[at] ?? -1,
      backend === undefined ? null : requireBackend(backends, backend),
      rule,
      since,
    ]),
  );
  if (leases.length === 0) return;
  await transaction.stage("fixture_leases", leaseColumns, leases);
  await transaction.run("INSERT INTO leases SELECT * FROM fixture_leases");
}

const leaseColumns = {
  object_id: "BIGINT",
  backend_id: "INTEGER",
  rule: "VARCHAR",
  since: "TIMESTAMP",
} as const;

const factColumns = {
  object_id: "BIGINT",
  ingested: "TIMESTAMP",
  tombstoned: "TIMESTAMP",
  moved: "TIMESTAMP",
  in_flight_mask: "BIGINT",
  heat_weight: "DOUBLE",
} as const;

const setObjectFacts = `
  UPDATE objects SET ingested = f.ingested, tombstoned = f.tombstoned, moved = f.moved,
    in_flight_mask = f.in_flight_mask,
    heat_weight = coalesce(f.heat_weight, objects.heat_weight)
  FROM fixture_facts AS f WHERE f.object_id = objects.object_id`;
