import {
  Binary,
  Int32,
  Int64,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import type { Connection } from "#index/connection.ts";
import { EngineError } from "#model/engine-error.ts";
import { planColumns } from "#model/plan.ts";

/**
 * Arrow IPC stream of the actions `[from, to)` with the columns of a plan. It depends on the
 * plan alone, so the same range gives the same bytes at any time.
 */
export async function segment(
  connection: Connection,
  planCid: string,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const columns: unknown[][] = planColumns.map(() => []);
  const batches = connection.columns({
    text: `
      SELECT p.sequence, p.verb, p.object_id, o.cid, o.size, o.profile, p.source, p.target,
        p.victim, p.rule, p.reason, coalesce(p.requirements, '[]') AS requirements
      FROM plan_actions AS p JOIN objects AS o USING (object_id)
      WHERE p.sequence >= $2 AND p.sequence < $3
        AND p.plan_key = (SELECT max(plan_key) FROM plans WHERE plan_cid = $1)
      ORDER BY p.sequence`,
    parameters: [planCid, from, to],
  });
  for await (const batch of batches) {
    batch.columns.forEach((values, column) => {
      for (const value of Array.from(values)) columns[column]?.push(value);
    });
  }
  if (columns[0]?.length !== to - from) {
    throw new EngineError("NOT_FOUND", `the index has no actions ${from} to ${to} of ${planCid}`, {
      hint: "the plan was never applied, or its run has ended",
    });
  }
  return encodeSegment(columns);
}

/** Arrow IPC stream of the values of `planColumns`, column by column. */
export function encodeSegment(columns: readonly (readonly unknown[])[]): Uint8Array {
  const vectors: Record<string, Vector> = {};
  planColumns.forEach(([name, type], position) => {
    vectors[name] = vectorOf(type, columns[position] ?? []);
  });
  return tableToIPC(new Table(vectors), "stream");
}

function vectorOf(type: (typeof planColumns)[number][1], values: readonly unknown[]): Vector {
  if (type === "BIGINT") {
    return vectorFromArray(
      values.map((value) => BigInt(value as number)),
      new Int64(),
    );
  }
  if (type === "INTEGER") return vectorFromArray(values as (number | null)[], new Int32());
  if (type === "BLOB") return vectorFromArray(values as Uint8Array[], new Binary());
  return vectorFromArray(values as string[], new Utf8());
}
