import { createHash } from "node:crypto";
import { DuckDBInstance } from "@duckdb/node-api";
import { CID } from "multiformats/cid";
import * as digest from "multiformats/hashes/digest";
import { onTestFinished } from "vitest";
import { Connection } from "#index/connection.ts";
import { IndexSession } from "#index/read-session.ts";
import { confidences, type Confidence } from "#model/copy.ts";
import { indexViews } from "#model/index-views.ts";

/** An object as a test states it; copies by backend id. */
export interface FixtureObject {
  readonly id: number;
  readonly size?: number;
  readonly copies?: Readonly<Record<number, Confidence>>;
  readonly inFlight?: readonly number[];
  readonly held?: boolean;
  readonly tombstoned?: Date;
  readonly names?: readonly string[];
  readonly heat?: number;
  readonly accessed?: Date;
  readonly collection?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
  /** When copies were last read whole, by backend; without it their times are unknown. */
  readonly checked?: Readonly<Record<number, Date>>;
  /** Copies that a rule (`policy/rule`) wanted for a time; without a backend: it is gone again. */
  readonly leases?: readonly FixtureLease[];
  /** Copies that their backend lets nobody remove: until then, or under a legal hold. */
  readonly locks?: Readonly<Record<number, Date | "legal hold" | { readonly refusedUntil: Date }>>;
}

/** Since when a rule has had a copy that it wants for a time. */
export interface FixtureLease {
  readonly rule: string;
  readonly backend?: number | undefined;
  readonly since: Date;
}

/** A database with tables shaped as the views of the index, read through its own sessions. */
export interface FixtureIndex {
  put(objects: readonly FixtureObject[]): Promise<void>;
  session(): Promise<IndexSession>;
  run(text: string): Promise<void>;
}

export async function openFixtureIndex(threads = 2): Promise<FixtureIndex> {
  const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
  const writer = new Connection(await instance.connect());
  onTestFinished(() => {
    writer.close();
    instance.closeSync();
  });
  await writer.run("CREATE TABLE counters AS SELECT 0::BIGINT AS commits");
  for (const [view, columns] of Object.entries(indexViews)) {
    const definitions = Object.entries(columns).map(([name, [type]]) => `"${name}" ${type}`);
    await writer.run(`CREATE TABLE "${view}" (${definitions.join(", ")})`);
  }
  return {
    async put(objects) {
      await writer.run("DELETE FROM object");
      await writer.run("DELETE FROM name");
      await writer.run("DELETE FROM lease");
      await writer.run("DELETE FROM tag");
      await writer.run("DELETE FROM copy");
      await writer.stage("staged", stageSchema, objects.map(stageRow));
      await writer.run(`INSERT INTO object BY NAME SELECT * FROM staged`);
      await writer.run(`UPDATE object SET profile = 'unixfs-v1', created = '2026-01-01',
        ingested = '2026-01-01', reads = 0`);
      const names = objects.flatMap(({ id, names }) => (names ?? []).map((path) => [id, path]));
      await writer.stage("staged", { object_id: "BIGINT", path: "VARCHAR" }, names);
      await writer.run("INSERT INTO name SELECT * FROM staged");
      const leases = objects.flatMap(({ id, leases }) =>
        (leases ?? []).map(({ rule, backend, since }) => [id, backend ?? null, rule, since]),
      );
      await writer.stage("staged", leaseSchema, leases);
      await writer.run("INSERT INTO lease SELECT * FROM staged");
      await writer.run("DELETE FROM lock");
      await writer.stage("staged", lockSchema, objects.flatMap(lockRows));
      await writer.run("INSERT INTO lock BY NAME SELECT * FROM staged");
      const tags = objects.flatMap(({ id, tags }) => (tags ?? []).map((tag) => [id, tag]));
      await writer.stage("staged", { object_id: "BIGINT", tag: "VARCHAR" }, tags);
      await writer.run("INSERT INTO tag SELECT * FROM staged");
      await writer.stage("staged", checkSchema, objects.flatMap(checkRows));
      await writer.run(`INSERT INTO copy (object_id, backend_id, state, verified_at)
        SELECT object_id, backend_id, 'present', verified_at FROM staged`);
      await writer.run(`UPDATE object SET oldest_verified = (SELECT min(c.verified_at) FROM copy c
        WHERE c.object_id = object.object_id AND (object.verified_mask >> c.backend_id) & 1 = 1)`);
    },
    session: async () => {
      const connection = new Connection(await instance.connect());
      return await IndexSession.begin(connection, () => undefined);
    },
    run: async (text) => {
      await writer.run(text);
    },
  };
}

export function cidOf(id: number): Uint8Array {
  const hash = createHash("sha256").update(`object ${id}`).digest();
  return CID.createV1(0x55, digest.create(0x12, hash)).bytes;
}

const leaseSchema = {
  object_id: "BIGINT",
  backend_id: "INTEGER",
  rule: "VARCHAR",
  since: "TIMESTAMP",
} as const;

const lockSchema = {
  object_id: "BIGINT",
  backend_id: "INTEGER",
  backend: "VARCHAR",
  legal_hold: "BOOLEAN",
  until: "TIMESTAMP",
  mode: "VARCHAR",
  seen_at: "TIMESTAMP",
} as const;

function lockRows({ id, locks = {} }: FixtureObject) {
  return Object.entries(locks).map(([backend, lock]) => {
    const held = lock === "legal hold";
    const retained = held
      ? [null, null]
      : "refusedUntil" in lock
        ? [lock.refusedUntil, null]
        : [lock, "COMPLIANCE"];
    return [id, Number(backend), `b${backend}`, held, ...retained, new Date("2026-05-01")];
  });
}

const checkSchema = {
  object_id: "BIGINT",
  backend_id: "INTEGER",
  verified_at: "TIMESTAMP",
} as const;

function checkRows({ id, copies = {}, checked }: FixtureObject) {
  if (checked === undefined) return [];
  return Object.keys(copies).map((backend) => [id, Number(backend), checked[+backend] ?? null]);
}

const stageSchema = {
  object_id: "BIGINT",
  cid: "BLOB",
  size: "BIGINT",
  path: "VARCHAR",
  names: "INTEGER",
  heat_weight: "DOUBLE",
  present_mask: "BIGINT",
  listed_mask: "BIGINT",
  sampled_mask: "BIGINT",
  verified_mask: "BIGINT",
  in_flight_mask: "BIGINT",
  held: "BOOLEAN",
  tombstoned: "TIMESTAMP",
  accessed: "TIMESTAMP",
  collection: "VARCHAR",
  owner: "VARCHAR",
} as const;

function stageRow(object: FixtureObject) {
  const { id, size = 1_000, copies = {}, inFlight = [], names = [] } = object;
  return [
    id,
    cidOf(id),
    size,
    names[0] ?? null,
    names.length,
    object.heat ?? 0,
    ...confidences.map((level) => maskWith(copies, level)),
    inFlight.reduce((mask, backend) => mask | (1n << BigInt(backend)), 0n),
    object.held ?? false,
    object.tombstoned ?? null,
    object.accessed ?? null,
    object.collection ?? null,
    object.owner ?? null,
  ];
}

/** Backends whose copy is at least this sure. */
export function maskWith(copies: Readonly<Record<number, Confidence>>, level: Confidence): bigint {
  return Object.entries(copies)
    .filter(([, own]) => confidences.indexOf(own) >= confidences.indexOf(level))
    .reduce((mask, [backend]) => mask | (1n << BigInt(backend)), 0n);
}
