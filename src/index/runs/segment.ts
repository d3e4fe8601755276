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

/** Actions `[from, to)` of a plan. */
export interface SegmentRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Arrow IPC stream of the actions of a range with the columns of a plan. It depends on the plan
 * alone, so the same range gives the same bytes at any time.
 */
export async function segment(
  connection: Connection,
  planCid: string,
  range: SegmentRange,
): Promise<Uint8Array> {
  return encodeSegment(await actionsOf(connection, planCid, range));
}

/** Such streams of several ranges; what lies together in the plan is read together. */
export async function segments(
  connection: Connection,
  planCid: string,
  ranges: readonly SegmentRange[],
): Promise<readonly Uint8Array[]> {
  const found = new Map<SegmentRange, Uint8Array>();
  for (const stretch of stretches(ranges)) {
    const columns = await actionsOf(connection, planCid, stretch);
    for (const range of stretch.ranges) {
      const [first, past] = [range.from - stretch.from, range.to - stretch.from];
      found.set(range, encodeSegment(columns.map((values) => values.slice(first, past))));
    }
  }
  return ranges.map((range) => found.get(range) ?? new Uint8Array());
}

interface Stretch extends SegmentRange {
  to: number;
  readonly ranges: SegmentRange[];
}

/** Ranges that follow each other without a gap, together. */
function stretches(ranges: readonly SegmentRange[]): readonly Stretch[] {
  const found: Stretch[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last?.to === range.from) {
      last.to = range.to;
      last.ranges.push(range);
    } else found.push({ from: range.from, to: range.to, ranges: [range] });
  }
  return found;
}

/** The values of `planColumns`, column by column. */
async function actionsOf(
  connection: Connection,
  planCid: string,
  { from, to }: SegmentRange,
): Promise<readonly (readonly unknown[])[]> {
  const columns: unknown[][] = planColumns.map(() => []);
  // The limit takes nothing away: it tells DuckDB that these are few, so that it looks for their
  // objects instead of reading all objects of a large index to look for their actions.
  const batches = connection.columns({
    text: `
      SELECT p.sequence, p.verb, p.object_id, o.cid, o.size, o.profile, p.source, p.target,
        p.victim, p.rule, p.reason, coalesce(p.requirements, '[]') AS requirements
      FROM (
        FROM plan_actions WHERE sequence >= $2 AND sequence < $3
          AND plan_key = (SELECT max(plan_key) FROM plans WHERE plan_cid = $1) LIMIT $4
      ) AS p JOIN objects AS o USING (object_id)
      ORDER BY p.sequence`,
    parameters: [planCid, from, to, Math.max(0, to - from)],
  });
  for await (const batch of batches) {
    batch.columns.forEach((values, column) => {
      const all = columns[column] ?? [];
      for (let row = 0; row < batch.rows; row += 1) all.push(values[row]);
    });
  }
  if (columns[0]?.length !== to - from) {
    throw new EngineError("NOT_FOUND", `the index has no actions ${from} to ${to} of ${planCid}`, {
      hint: "the plan was never applied, or its run has ended",
    });
  }
  return columns;
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
