import { cidFromBytes } from "#content/cid.ts";
import type { CopyToVerify } from "#jobs/verify-copies.ts";
import type { SqlRow } from "#model/sql.ts";
import { joinFragments, sql, type SqlFragment } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

/** More copies than this are not checked in one go: the next look takes up where it ended. */
const copiesMax = 10_000;

export interface DueRequest {
  /** Content to read in all; one copy more than fits is taken. */
  readonly bytes: number;
  /** A copy whose proof is younger is not due. */
  readonly before: Date;
  readonly backends: readonly string[];
}

export interface DueCopy extends CopyToVerify {
  readonly bytes: number;
}

/**
 * Copies to check again, as a statement. Those that were never verified and those that were take
 * turns by bytes, each the longest unchecked first: a copy that can never be verified, as in an
 * archive, keeps nobody from its turn.
 */
export function dueCopies({ bytes, before, backends }: DueRequest): SqlFragment {
  const places = backends.map((name) => sql`c.backend = ${name}`);
  const onBackend = joinFragments(places, " OR ");
  const columns = sql`o.cid, o.size, o.profile, o.path, c.backend, c.backend_id, c.object_id`;
  const copies = sql`FROM copy c JOIN object o USING (object_id)
      WHERE c.state = 'present' AND (${onBackend})`;
  const first = sql`proven_at, object_id, backend_id`;
  return sql`WITH due AS (
    (SELECT ${columns}, c.checked_at AS proven_at, 0 AS turns_of ${copies} AND c.verified_at IS NULL
      ORDER BY ${first} LIMIT ${copiesMax})
    UNION ALL
    (SELECT ${columns}, c.verified_at AS proven_at, 1 AS turns_of ${copies}
      AND c.verified_at < ${timestampParameter(before.getTime())}
      ORDER BY ${first} LIMIT ${copiesMax})
  ), turns AS (
    SELECT *, sum(size) OVER (PARTITION BY turns_of ORDER BY ${first}) AS turn FROM due
  ), read AS (
    SELECT *, sum(size) OVER (ORDER BY turn, turns_of, object_id, backend_id) - size AS earlier
    FROM turns
  )
  SELECT cid, size, profile, path, backend FROM read WHERE earlier < ${bytes}
  ORDER BY turn, turns_of, object_id, backend_id LIMIT ${copiesMax}`;
}

/** One row of `dueCopies`. */
export function dueCopy(row: SqlRow): DueCopy {
  const size = Number(row["size"]);
  return {
    object: {
      cid: cidFromBytes(row["cid"] as Uint8Array),
      size,
      profile: String(row["profile"]),
    },
    backend: String(row["backend"]),
    path: (row["path"] as string | null) ?? undefined,
    bytes: size,
  };
}
