import { Pool } from "pg";
import {
  holderText,
  type IndexMark,
  type LeaseHolder,
  type LeaseRecord,
  type LeaseStore,
  notesMarks,
  parseHolder,
  unwrittenMark,
} from "#jobs/lease/lease-store.ts";
import { leaseTiming } from "#jobs/lease/lease-timing.ts";
import { EngineError } from "#model/engine-error.ts";

interface PostgresLeaseOptions {
  /** A checked name: small letters, digits, underscores. */
  readonly schema: string;
  readonly onError: (error: EngineError) => void;
}

/** A lease in one row of PostgreSQL; each step is one statement, on the clock of the server. */
export function openPostgresLeaseStore(url: string, options: PostgresLeaseOptions): LeaseStore {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: leaseTiming.callTimeoutMs,
    query_timeout: leaseTiming.callTimeoutMs,
    // An epoch that was given away must survive a crash of the server, whatever else it may lose.
    options: `-c search_path=${options.schema} -c synchronous_commit=on`,
  });
  pool.on("error", (error) => {
    options.onError(EngineError.from(error, "UNAVAILABLE"));
  });
  const run = async (text: string, values: readonly unknown[]): Promise<readonly LeaseRow[]> => {
    try {
      return (await pool.query<LeaseRow>(text, [...values])).rows;
    } catch (error) {
      throw new EngineError(
        "UNAVAILABLE",
        `the lease in the queue store cannot be reached: ${EngineError.from(error).message}`,
        { cause: error, hint: "check that the queue's server runs and is reachable" },
      );
    }
  };
  const read = async () => recordOf((await run(readLease, []))[0]);
  return {
    read,
    acquire: async ({ holder, ttlMs, floor = 0, takeFrom = -1 }) => {
      const noted = [JSON.stringify(unwrittenMark), notesMarks];
      const values = [holder.id, holderText(holder), ttlMs, floor, takeFrom, ...noted];
      const [row] = await run(acquireLease, values);
      if (row !== undefined) return { ...recordOf(row), granted: true };
      return { ...(await read()), granted: false };
    },
    renew: async (holder, epoch, ttlMs, mark) => {
      const noted = mark === undefined ? null : JSON.stringify(mark);
      const values = [holder.id, holderText(holder), ttlMs, epoch, noted];
      return (await run(renewLease, values)).length === 1;
    },
    mark: async () => {
      const [row] = await run(readMark, []);
      return row === undefined ? undefined : (JSON.parse(row.detail) as IndexMark);
    },
    release: async (holder, epoch) => {
      await run(releaseLease, [holder.id, epoch]);
    },
    announce: async (holder, ttlMs) => {
      await run(announce, [`standby ${holder.id}`, holder.id, JSON.stringify(holder), ttlMs]);
    },
    withdraw: async (holder) => {
      await run("DELETE FROM controller_lease WHERE name = $1", [`standby ${holder.id}`]);
    },
    waiting: async () => {
      const rows = await run(waiting, []);
      return rows.map((row) => JSON.parse(row.detail) as LeaseHolder);
    },
    owner: async () => (await run(readOwner, []))[0]?.detail,
    claim: async (installation) => (await run(claim, [installation]))[0]?.detail ?? installation,
    close: async () => {
      await pool.end();
    },
  };
}

interface LeaseRow {
  readonly epoch: string;
  readonly detail: string;
  readonly remaining: string;
}

function recordOf(row: LeaseRow | undefined): LeaseRecord {
  if (row === undefined) return { epoch: 0, holder: undefined, remainingMs: 0 };
  return {
    epoch: Number(row.epoch),
    holder: parseHolder(row.detail),
    remainingMs: Math.max(0, Number(row.remaining)),
  };
}

/** Made with the queues, in their schema; the lock keeps two that start at once from colliding. */
export const leaseTable = `
  SELECT pg_advisory_xact_lock(hashtext('controller_lease'));
  CREATE TABLE IF NOT EXISTS controller_lease (
    name text PRIMARY KEY, epoch bigint NOT NULL, holder text NOT NULL, detail text NOT NULL,
    ends timestamptz NOT NULL)`;

const remaining = `round(extract(epoch FROM ends - clock_timestamp()) * 1000) AS remaining`;
const later = (ttl: string) => `clock_timestamp() + ${ttl}::float8 * interval '1 millisecond'`;

const readLease = `
  SELECT epoch, detail, ${remaining} FROM controller_lease WHERE name = 'controller'`;

const acquireLease = `
  WITH earlier AS (SELECT detail FROM controller_lease WHERE name = 'controller'),
  taken AS (
    INSERT INTO controller_lease AS l (name, epoch, holder, detail, ends)
    VALUES ('controller', $4::bigint + 1, $1, $2, ${later("$3")})
    ON CONFLICT (name) DO UPDATE SET epoch = greatest(l.epoch, $4::bigint) + 1,
      holder = excluded.holder, detail = excluded.detail, ends = ${later("$3")}
    WHERE l.ends <= clock_timestamp() OR l.holder = $1 OR l.epoch = $5::bigint
    RETURNING epoch, detail, ${remaining}),
  first AS (
    INSERT INTO controller_lease (name, epoch, holder, detail, ends)
    SELECT 'mark', epoch, $1, $6::text, clock_timestamp() FROM taken WHERE epoch = 1
    ON CONFLICT (name) DO NOTHING),
  outdated AS (
    DELETE FROM controller_lease WHERE name = 'mark' AND EXISTS (SELECT FROM taken)
      AND EXISTS (SELECT FROM earlier WHERE strpos(detail, $7::text) = 0))
  SELECT epoch, detail, remaining FROM taken`;

const renewLease = `
  WITH held AS (
    INSERT INTO controller_lease AS l (name, epoch, holder, detail, ends)
    VALUES ('controller', $4::bigint, $1, $2, ${later("$3")})
    ON CONFLICT (name) DO UPDATE SET ends = ${later("$3")}
    WHERE l.holder = $1 AND l.epoch = $4::bigint
    RETURNING epoch, detail, ${remaining}),
  noted AS (
    INSERT INTO controller_lease (name, epoch, holder, detail, ends)
    SELECT 'mark', epoch, $1, $5::text, clock_timestamp() FROM held WHERE $5::text IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder,
      detail = excluded.detail)
  SELECT epoch, detail, remaining FROM held`;

const readMark = `
  SELECT epoch, detail, 0 AS remaining FROM controller_lease WHERE name = 'mark'`;

const releaseLease = `
  UPDATE controller_lease SET ends = clock_timestamp()
  WHERE name = 'controller' AND holder = $1 AND epoch = $2`;

const announce = `
  INSERT INTO controller_lease (name, epoch, holder, detail, ends)
  VALUES ($1, 0, $2, $3, ${later("$4")})
  ON CONFLICT (name) DO UPDATE SET ends = excluded.ends`;

const readOwner = "SELECT detail FROM controller_lease WHERE name = 'installation'";

// Who is there already stays: the update only makes its row the answer.
const claim = `
  INSERT INTO controller_lease AS l (name, epoch, holder, detail, ends)
  VALUES ('installation', 0, '', $1, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET detail = l.detail RETURNING epoch, detail, 0 AS remaining`;

// What ran out is forgotten by whoever looks.
const waiting = `
  WITH forgotten AS (
    DELETE FROM controller_lease WHERE name LIKE 'standby %' AND ends <= clock_timestamp())
  SELECT epoch, detail, ${remaining} FROM controller_lease
  WHERE name LIKE 'standby %' AND ends > clock_timestamp() ORDER BY name`;
