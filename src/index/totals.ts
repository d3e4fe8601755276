import type { Connection } from "#index/connection.ts";
import type { SqlRow } from "#model/sql.ts";

/** The index in figures. */
export interface IndexTotals {
  readonly objects: number;
  readonly copies: number;
  /** Bytes of present copies. */
  readonly bytes: number;
  /** Objects not marked for deletion, but too few verified ones. */
  readonly belowMinimum: number;
  readonly backends: readonly {
    readonly name: string;
    readonly tier: string;
    readonly copies: number;
    readonly bytes: number;
  }[];
}

/** Counts from maintained figures and one scan of the masks. */
export async function totals(connection: Connection, minimumCopies: number): Promise<IndexTotals> {
  const objects = await connection.row<{ objects: number; below: number }>(
    `SELECT count(*) AS objects, count(*) FILTER (
       WHERE tombstoned IS NULL AND bit_count(verified_mask) < $1) AS below
     FROM objects`,
    [minimumCopies],
  );
  const backends = await connection.rows<
    { name: string; tier: string; copies: number; bytes: number; configured: boolean } & SqlRow
  >("SELECT name, tier, copies, used_bytes AS bytes, configured FROM backends ORDER BY backend_id");
  return {
    objects: objects.objects,
    belowMinimum: objects.below,
    copies: backends.reduce((sum, backend) => sum + backend.copies, 0),
    bytes: backends.reduce((sum, backend) => sum + backend.bytes, 0),
    backends: backends
      .filter((backend) => backend.configured || backend.copies > 0)
      .map(({ name, tier, copies, bytes }) => ({ name, tier, copies, bytes })),
  };
}
