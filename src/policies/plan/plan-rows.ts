import type { CopyRequirement, PlanAction, Verb } from "#model/plan.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import { CID } from "multiformats/cid";
import { sql, toStatement } from "#policies/sql-fragment.ts";

/** Some actions of a plan file, for people. */
export async function planRows(
  session: ReadSession,
  rowsPath: string,
  offset: number,
  limit: number,
): Promise<readonly PlanAction[]> {
  const rows = await session.rows(
    toStatement(sql`SELECT * FROM read_parquet(${rowsPath})
    WHERE sequence >= ${offset}::BIGINT AND sequence < ${offset + limit}::BIGINT
    ORDER BY sequence`),
  );
  return rows.map(toPlanAction);
}

/** A row with the columns of `planColumns` as an action. */
export function toPlanAction(row: SqlRow): PlanAction {
  const backend = (column: string) => (row[column] === null ? null : Number(row[column]));
  return {
    sequence: Number(row["sequence"]),
    verb: row["verb"] as Verb,
    objectId: Number(row["object_id"]),
    cid: CID.decode(row["cid"] as Uint8Array).toString(),
    size: Number(row["size"]),
    profile: String(row["profile"]),
    source: backend("source"),
    target: backend("target"),
    victim: backend("victim"),
    rule: String(row["rule"]),
    reason: String(row["reason"]),
    requirements: JSON.parse(String(row["requirements"])) as readonly CopyRequirement[],
  };
}
