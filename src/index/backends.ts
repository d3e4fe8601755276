import { isDeepStrictEqual } from "node:util";
import type { Connection } from "#index/connection.ts";
import { sameStorages } from "#index/same-storages.ts";
import type { Transaction } from "#index/transaction.ts";
import { type Backend, backendsMax, freeOfCharge, type PriceCard } from "#model/backend.ts";
import type { Tier } from "#model/copy.ts";
import type { DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BackendFacts } from "#model/index-store.ts";
import type { SqlRow } from "#model/sql.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** Makes the configured backends those of `facts`. A name keeps its id for ever. */
export async function syncBackends(
  transaction: Transaction,
  facts: readonly BackendFacts[],
): Promise<void> {
  const ids = await backendIds(transaction.connection);
  await transaction.run("UPDATE backends SET configured = FALSE");
  for (const backend of facts) {
    const values = [
      backend.driver,
      backend.tier,
      backend.region ?? null,
      JSON.stringify(backend.labels),
      backend.capacityBytes ?? null,
      JSON.stringify(backend.price),
      JSON.stringify(backend.capabilities),
    ];
    const known = ids.get(backend.name);
    if (known === undefined) {
      const id = nextId(ids, backend.name);
      ids.set(backend.name, id);
      await transaction.run(insertBackend, [id, backend.name, ...values]);
    } else {
      await transaction.run(updateBackend, [known, ...values]);
    }
  }
}

/** Whether the index already knows exactly these backends: then nothing needs to be written. */
export function sameBackends(known: readonly Backend[], facts: readonly BackendFacts[]): boolean {
  return isDeepStrictEqual(
    known.map(factsOf).toSorted(byName),
    facts.map(factsOf).toSorted(byName),
  );
}

function factsOf(backend: BackendFacts): BackendFacts {
  const { name, driver, tier, region, labels, capacityBytes, price, capabilities } = backend;
  // Through JSON, as they are kept: what is undefined there is absent.
  const kept = JSON.parse(JSON.stringify({ labels, price, capabilities })) as Pick<
    BackendFacts,
    "labels" | "price" | "capabilities"
  >;
  return { name, driver, tier, region, capacityBytes, ...kept };
}

function byName(a: BackendFacts, b: BackendFacts): number {
  return a.name < b.name ? -1 : 1;
}

/** Configured backends by id, with what is known at a time of those that are one storage. */
export async function listBackends(connection: Connection, at: Date): Promise<readonly Backend[]> {
  const same = await sameStorages(connection, at);
  const rows = await connection.rows<BackendRow>(
    "SELECT * FROM backends WHERE configured ORDER BY backend_id",
  );
  return rows.map(toBackend).map((backend) => {
    const others = same.get(backend.id);
    return others === undefined ? backend : { ...backend, sameAs: [...others] };
  });
}

/** A backend that is configured, or was and may still hold copies. */
export interface Holder extends Backend {
  readonly configured: boolean;
}

/** Backends by id, those too that are no longer configured. */
export async function listHolders(connection: Connection): Promise<readonly Holder[]> {
  const rows = await connection.rows<BackendRow & { readonly configured: boolean }>(
    "SELECT * FROM backends ORDER BY backend_id",
  );
  return rows.map((row) => ({ ...toBackend(row), configured: row.configured }));
}

/** Ids by name, of removed backends too. */
export async function backendIds(connection: Connection): Promise<Map<string, number>> {
  const rows = await connection.rows<{ name: string; backend_id: number }>(
    "SELECT name, backend_id FROM backends",
  );
  return new Map(rows.map((row) => [row.name, row.backend_id]));
}

/** The id of a backend. Throws NOT_FOUND that lists what there is. */
export function requireBackend(ids: ReadonlyMap<string, number>, name: string): number {
  const id = ids.get(name);
  if (id !== undefined) return id;
  throw unknownBackend(name, [...ids.keys()]);
}

/** A cordoned backend takes no new copies. */
export async function setCordon(
  transaction: Transaction,
  name: string,
  cordoned: boolean,
  now: Date,
): Promise<void> {
  requireBackend(await backendIds(transaction.connection), name);
  await transaction.run("UPDATE backends SET cordoned = $2 WHERE name = $1", [name, cordoned]);
  const reason = cordoned ? "cordoned" : "uncordoned";
  transaction.record({ at: now, kind: "cordon", reason, detail: { backend: name } });
}

interface BackendRow extends SqlRow {
  readonly backend_id: number;
  readonly name: string;
  readonly driver: string;
  readonly tier: Tier;
  readonly region: string | null;
  readonly labels: string;
  readonly capacity_bytes: number | null;
  readonly price: string;
  readonly capabilities: string;
  readonly cordoned: boolean;
  readonly used_bytes: number;
}

function toBackend(row: BackendRow): Backend {
  const capacityBytes = row.capacity_bytes ?? undefined;
  return {
    id: row.backend_id,
    name: row.name,
    driver: row.driver,
    tier: row.tier,
    region: row.region ?? undefined,
    labels: JSON.parse(row.labels) as Record<string, string>,
    capacityBytes,
    usedBytes: row.used_bytes,
    freeBytes:
      capacityBytes === undefined ? undefined : Math.max(0, capacityBytes - row.used_bytes),
    cordoned: row.cordoned,
    // Cards of backends that left the configuration may be older than some of the prices.
    price: { ...freeOfCharge, ...(JSON.parse(row.price) as Partial<PriceCard>) },
    capabilities: JSON.parse(row.capabilities) as DriverCapabilities,
  };
}

function nextId(ids: ReadonlyMap<string, number>, name: string): number {
  const id = Math.max(-1, ...ids.values()) + 1;
  if (id < backendsMax) return id;
  throw new EngineError(
    "NOT_SUPPORTED",
    `backend "${name}" would be number ${id + 1}; an index holds at most ${backendsMax}, ` +
      "and removed ones keep their place",
    { hint: "use the name of a removed backend again, or start a new index" },
  );
}

const insertBackend = `
  INSERT INTO backends (backend_id, name, configured, driver, tier, region, labels,
    capacity_bytes, price, capabilities, cordoned, used_bytes, copies)
  VALUES ($1, $2, TRUE, $3, $4, $5, $6, $7, $8, $9, FALSE, 0, 0)`;

const updateBackend = `
  UPDATE backends SET configured = TRUE, driver = $2, tier = $3, region = $4, labels = $5,
    capacity_bytes = $6, price = $7, capabilities = $8
  WHERE backend_id = $1`;
