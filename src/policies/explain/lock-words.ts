import { storageLockWords } from "#model/storage-lock-words.ts";
import { lockHolds } from "#policies/plan/find-locked.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sql } from "#policies/sql-fragment.ts";

/** A lock that a backend has on its copy of an object, and that holds now. */
export interface FoundLock {
  readonly backendId: number;
  readonly backend: string;
  readonly legalHold: boolean;
  readonly until: Date | undefined;
  readonly mode: string | undefined;
  /** When the backend said so last. */
  readonly seenAt: Date;
}

/** The locks of backends on copies of an object. */
export async function readLocks(
  planning: Planning,
  objectId: number,
): Promise<readonly FoundLock[]> {
  const rows =
    await planning.rows(sql`SELECT k.backend_id, k.backend, k.legal_hold, k.until, k.mode, k.seen_at
    FROM lock k WHERE k.object_id = ${objectId}::BIGINT AND ${lockHolds(planning)}
    ORDER BY k.backend_id`);
  return rows.map(
    ({ backend_id: id, backend, legal_hold: held, until, mode, seen_at: seenAt }) => ({
      backendId: Number(id),
      backend: String(backend),
      legalHold: held === true,
      until: until instanceof Date ? until : undefined,
      mode: typeof mode === "string" ? mode : undefined,
      seenAt: seenAt as Date,
    }),
  );
}

/** What a backend locks, until when, since when that is known, and what ends it. */
export function lockWords({ backend, seenAt, until, ...lock }: FoundLock): string {
  const words = storageLockWords({
    legalHold: lock.legalHold,
    ...(until === undefined ? {} : { until: until.toISOString() }),
    ...(lock.mode === undefined ? {} : { mode: lock.mode }),
  });
  const lifted = lock.legalHold
    ? `; once it is lifted there: thermocline verify, or import inventory ${backend}, sees it if our credentials may see locks`
    : "";
  return `its copy on ${backend} is ${words}, as it said at ${seenAt.toISOString()}${lifted}`;
}
