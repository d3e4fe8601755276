import { cidText } from "#index/cid-key.ts";
import { type Connection, micros } from "#index/connection.ts";
import type { LivePermit } from "#index/runs/judge-removal.ts";
import type { Transaction } from "#index/transaction.ts";
import type { CommitContext } from "#model/index-store.ts";
import { permitMarginMs, type RemovalPermit, type ReservedCopy } from "#model/removal.ts";
import type { SqlRow, SqlValue } from "#model/sql.ts";

/** A permit with the place it was issued for. */
export type StoredPermit = RemovalPermit & {
  readonly runKey: number;
  readonly sequence: number;
  readonly backendId: number;
  /** `unknown`: the worker could not tell; `ended`: not removed; `done`: the copy is gone. */
  readonly state: "open" | "unknown" | "ended" | "done";
  /** How the action ends when settlement finds the copy still there. */
  readonly pending: { readonly code: string; readonly message: string } | undefined;
};

/** Stores new permits; `again` tells that some stand for one of the same action that ran out. */
export async function storePermits(
  transaction: Transaction,
  permits: readonly StoredPermit[],
  backendIds: ReadonlyMap<string, number>,
  again: boolean,
): Promise<void> {
  if (permits.length === 0) return;
  await transaction.stage(
    "new_permits",
    {
      permit_id: "VARCHAR",
      run_key: "BIGINT",
      sequence: "BIGINT",
      object_id: "BIGINT",
      backend_id: "INTEGER",
      reserved_mask: "BIGINT",
      reserved: "VARCHAR",
      authority: "VARCHAR",
      issued_at: "TIMESTAMP",
      expires_at: "TIMESTAMP",
    },
    permits.map((permit) => [
      permit.id,
      permit.runKey,
      permit.sequence,
      permit.objectId,
      permit.backendId,
      permit.reserved.reduce((mask, copy) => mask | bit(backendIds.get(copy.backend)), 0n),
      JSON.stringify(permit.reserved),
      permit.authority,
      new Date(permit.issuedAt),
      new Date(permit.expiresAt),
    ]),
  );
  if (again) {
    await transaction.run(
      `DELETE FROM permits
       WHERE (run_key, sequence) IN (SELECT (run_key, sequence) FROM new_permits)`,
    );
  }
  await transaction.run(
    "INSERT INTO permits SELECT *, 'open', NULL, NULL, NULL, NULL FROM new_permits",
  );
}

/** Permits that fulfil a condition over `m`, by run and sequence. */
export async function readPermits(
  connection: Connection,
  condition: string,
  parameters: readonly SqlValue[],
): Promise<readonly StoredPermit[]> {
  const rows = await connection.rows<PermitRow>(
    `SELECT m.*, m.state::VARCHAR AS state, o.cid, o.size, o.profile, b.name AS backend
     FROM permits AS m JOIN objects AS o USING (object_id) JOIN backends AS b USING (backend_id)
     WHERE ${condition} ORDER BY m.run_key, m.sequence`,
    parameters,
  );
  return rows.map(toPermit);
}

/**
 * Permits that may still be used on the objects in a temporary table, by object. Once one was
 * reported on, it reserves nothing more, but its victim is not counted on until it has run out
 * for certain: a second worker with the same job may still be about to use it.
 */
export async function livePermits(
  transaction: Transaction,
  objects: string,
  { now, clockSkewMs }: Pick<CommitContext, "now" | "clockSkewMs">,
): Promise<ReadonlyMap<number, readonly LivePermit[]>> {
  const rows = await transaction.rows<{ object_id: number; victim: number; mask: number | bigint }>(
    `SELECT m.object_id, m.backend_id AS victim,
       CASE WHEN m.state IN ('open', 'unknown') THEN m.reserved_mask ELSE 0 END AS mask
     FROM permits AS m SEMI JOIN ${objects} USING (object_id)
     WHERE m.state IN ('open', 'unknown') OR m.expires_at > make_timestamp($1::BIGINT)`,
    [micros(new Date(now.getTime() - permitMarginMs(clockSkewMs)))],
  );
  const live = new Map<number, LivePermit[]>();
  for (const row of rows) {
    const permits = live.get(row.object_id) ?? [];
    permits.push({ victim: row.victim, reserved: backendsOf(BigInt(row.mask)) });
    live.set(row.object_id, permits);
  }
  return live;
}

/** How a permit ends: the copy is gone, was not removed, or nobody knows yet. */
export interface PermitEnd {
  readonly permitId: string;
  readonly state: "done" | "ended" | "unknown";
  readonly code?: string;
  readonly message?: string;
}

/** Ends permits, all in one statement: a batch has up to a thousand. */
export async function endPermits(
  transaction: Transaction,
  ends: readonly PermitEnd[],
  at: Date,
): Promise<void> {
  if (ends.length === 0) return;
  await transaction.stage(
    "ended_permits",
    { permit_id: "VARCHAR", state: "VARCHAR", code: "VARCHAR", message: "VARCHAR" },
    ends.map(({ permitId, state, code, message }) => [permitId, state, code, message]),
  );
  await transaction.run(
    `UPDATE permits SET state = e.state::permit_state, ended_at = make_timestamp($1::BIGINT),
       code = e.code, message = e.message
     FROM ended_permits AS e WHERE permits.permit_id = e.permit_id`,
    [micros(at)],
  );
}

/** The permit as the world outside knows it. */
export function publicPermit(permit: StoredPermit): RemovalPermit {
  const { runKey: _, sequence: __, backendId: ___, state: ____, pending: _____, ...rest } = permit;
  return rest;
}

interface PermitRow extends SqlRow {
  readonly permit_id: string;
  readonly run_key: number;
  readonly sequence: number;
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly size: number;
  readonly profile: string;
  readonly backend_id: number;
  readonly backend: string;
  readonly reserved: string;
  readonly authority: RemovalPermit["authority"];
  readonly issued_at: Date;
  readonly expires_at: Date;
  readonly state: StoredPermit["state"];
  readonly code: string | null;
  readonly message: string | null;
}

function toPermit(row: PermitRow): StoredPermit {
  return {
    id: row.permit_id,
    cid: cidText(row.cid),
    size: row.size,
    profile: row.profile,
    objectId: row.object_id,
    backend: row.backend,
    reserved: JSON.parse(row.reserved) as readonly ReservedCopy[],
    authority: row.authority,
    issuedAt: row.issued_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    runKey: row.run_key,
    sequence: row.sequence,
    backendId: row.backend_id,
    state: row.state,
    pending: row.code === null ? undefined : { code: row.code, message: row.message ?? row.code },
  };
}

function bit(backendId: number | undefined): bigint {
  return backendId === undefined ? 0n : 1n << BigInt(backendId);
}

function backendsOf(mask: bigint): ReadonlySet<number> {
  const ids = new Set<number>();
  for (let id = 0; mask >> BigInt(id) > 0n; id += 1) {
    if ((mask & (1n << BigInt(id))) !== 0n) ids.add(id);
  }
  return ids;
}
