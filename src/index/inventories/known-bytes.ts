import { cidKey } from "#index/cid-key.ts";
import type { Connection, StageType } from "#index/connection.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import type { SqlRow } from "#model/sql.ts";

const columns = {
  position: "BIGINT",
  cid_key: "BIGINT",
  cid: "BLOB",
} as const satisfies Record<string, StageType>;

/**
 * What copies on a backend take, in the order of their CIDs, where the backend told it: what
 * somebody claims was measured by nobody, and 0 is what storage says that does not know.
 */
export async function knownBytes(
  connection: Connection,
  backendId: number,
  cids: readonly string[],
): Promise<readonly (number | undefined)[]> {
  const keys = cids.map((cid, position) => {
    const { key, bytes } = cidKey(cid);
    return [position, key, bytes];
  });
  await connection.stage("listed_cids", columns, keys);
  await resolveCids(connection, "listed_cids");
  const found: (number | undefined)[] = Array.from({ length: cids.length });
  for (const { position, bytes } of await connection.rows<Known>(believedCopies, [backendId])) {
    found[position] = bytes;
  }
  return found;
}

interface Known extends SqlRow {
  readonly position: number;
  readonly bytes: number;
}

const believedCopies = `
  SELECT l.position, c.bytes
  FROM listed_cids_resolved AS l JOIN copies AS c USING (object_id)
  JOIN backends AS b ON b.backend_id = c.backend_id
    AND json_contains(b.capabilities->'$.forms', to_json(c.form::VARCHAR))
  WHERE c.backend_id = $1 AND c.state = 'present'
    AND c.confidence > 'claimed' AND c.bytes > 0`;
