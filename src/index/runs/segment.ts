import {
  Binary,
  Int32,
  Int64,
  makeData,
  makeVector,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
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

/** Filled at once: Arrow's own builders take the values of each batch one at a time. */
function vectorOf(type: (typeof planColumns)[number][1], values: readonly unknown[]): Vector {
  const { length } = values;
  if (type === "BIGINT") {
    const data = BigInt64Array.from(values as readonly number[], BigInt);
    return makeVector(makeData({ type: new Int64(), length, data }));
  }
  if (type === "INTEGER") {
    const data = Int32Array.from(values as readonly (number | null)[], (value) => value ?? 0);
    return makeVector(makeData({ type: new Int32(), length, data, ...nullsOf(values) }));
  }
  if (type === "BLOB") {
    const bytes = bytesOf(values as readonly Uint8Array[]);
    return makeVector(makeData({ type: new Binary(), length, ...bytes }));
  }
  return makeVector(makeData({ type: new Utf8(), length, ...bytesOf(utf8(values as string[])) }));
}

function bytesOf(parts: readonly Uint8Array[]) {
  const valueOffsets = new Int32Array(parts.length + 1);
  parts.forEach((part, at) => {
    valueOffsets[at + 1] = (valueOffsets[at] ?? 0) + part.length;
  });
  return { valueOffsets, data: Buffer.concat(parts) };
}

/** Verb, rule and reason are mostly the same text from row to row. */
function utf8(values: readonly string[]): readonly Uint8Array[] {
  const known = new Map<string, Uint8Array>();
  return values.map((value) => {
    const bytes = known.get(value) ?? Buffer.from(value);
    known.set(value, bytes);
    return bytes;
  });
}

function nullsOf(values: readonly unknown[]) {
  const nullCount = values.filter((value) => value === null).length;
  if (nullCount === 0) return { nullCount };
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, at) => {
    if (value !== null) nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
  });
  return { nullCount, nullBitmap };
}
