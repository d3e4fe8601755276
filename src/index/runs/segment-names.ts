import type { Connection } from "#index/connection.ts";
import type { SegmentRange } from "#index/runs/segment.ts";
import type { NameFacts } from "#model/storage-name.ts";

/** What the objects of a range of a plan's actions are called now, in the order of the actions. */
export async function segmentNames(
  connection: Connection,
  planCid: string,
  { from, to }: SegmentRange,
): Promise<readonly NameFacts[]> {
  // The limit tells DuckDB that these are few (see segment.ts).
  return await connection.rows<{ collection: string | null; path: string | null }>(
    `SELECT o.collection, o.path
     FROM (
       FROM plan_actions WHERE sequence >= $2 AND sequence < $3
         AND plan_key = (SELECT max(plan_key) FROM plans WHERE plan_cid = $1) LIMIT $4
     ) AS p JOIN objects AS o USING (object_id)
     ORDER BY p.sequence`,
    [planCid, from, to, Math.max(0, to - from)],
  );
}
