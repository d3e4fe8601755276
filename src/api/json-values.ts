/** Values for readers of plain JSON: ISO times, hex bytes, large integers as text. */
export function plainJson(value: unknown): unknown {
  return convert(value, {
    date: (date) => (Number.isNaN(date.getTime()) ? null : date.toISOString()),
    bytes: (bytes) => Buffer.from(bytes).toString("hex"),
    bigint: (number) => (Number.isSafeInteger(Number(number)) ? Number(number) : `${number}`),
    number: (number) => (Number.isFinite(number) ? number : null),
    object: (entries) => entries,
  });
}

/**
 * Values that come back from `fromExactJson` as they were: what JSON lacks is tagged, such as
 * `{"$date": "2026-01-01T00:00:00.000Z"}`, `{"$bytes": "<base64>"}`, `{"$bigint": "7"}`.
 */
export function exactJson(value: unknown): unknown {
  return convert(value, {
    date: (date) => ({ $date: Number.isNaN(date.getTime()) ? "" : date.toISOString() }),
    bytes: (bytes) => ({ $bytes: Buffer.from(bytes).toString("base64") }),
    bigint: (number) => ({ $bigint: `${number}` }),
    number: (number) =>
      Number.isFinite(number) && !Object.is(number, -0) ? number : { $number: numberText(number) },
    // A user's own key may look like a tag: such an object is wrapped once.
    object: (entries) =>
      Object.keys(entries).some((key) => key.startsWith("$")) ? { $object: entries } : entries,
  });
}

/** Undoes `exactJson`. */
export function fromExactJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromExactJson);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [tag, inner]: [string?, unknown?] = entries.length === 1 ? (entries[0] ?? []) : [];
  if (typeof inner === "string") {
    if (tag === "$date") return new Date(inner);
    if (tag === "$bytes") return new Uint8Array(Buffer.from(inner, "base64"));
    if (tag === "$bigint") return BigInt(inner);
    if (tag === "$number") return Number(inner);
  }
  const plain = tag === "$object" && typeof inner === "object" && inner !== null;
  return mapEntries(plain ? Object.entries(inner) : entries, fromExactJson);
}

interface Conversion {
  date(value: Date): unknown;
  bytes(value: Uint8Array): unknown;
  bigint(value: bigint): unknown;
  number(value: number): unknown;
  object(entries: Record<string, unknown>): unknown;
}

function convert(value: unknown, to: Conversion): unknown {
  if (typeof value === "bigint") return to.bigint(value);
  if (typeof value === "number") return to.number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => convert(item, to));
  if (value instanceof Date) return to.date(value);
  if (value instanceof Uint8Array) return to.bytes(value);
  return to.object(mapEntries(Object.entries(value), (item) => convert(item, to)));
}

function mapEntries(
  entries: readonly (readonly [string, unknown])[],
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  // Defined as own properties, so that a column called __proto__ stays a column.
  const result: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    Object.defineProperty(result, key, {
      value: map(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
