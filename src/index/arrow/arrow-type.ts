import { DuckDBDecimalType, DuckDBEnumType, type DuckDBType, DuckDBTypeId } from "#index/duckdb.ts";
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from "apache-arrow";
import { EngineError } from "#model/engine-error.ts";

/** How a column of DuckDB becomes one of Arrow. */
export interface ColumnForm {
  readonly name: string;
  readonly type: DataType;
  readonly layout: ColumnLayout;
}

/**
 * `fixed`: both keep the same bytes. `sign-extended`: DuckDB keeps fewer bytes of the same
 * number. `bit`: Arrow keeps a bit for a byte. `variable`: offsets instead of addresses. `enum`:
 * the text instead of its number.
 */
export type ColumnLayout =
  | { readonly kind: "fixed"; readonly width: number }
  | { readonly kind: "sign-extended"; readonly from: number }
  | { readonly kind: "bit" }
  | { readonly kind: "variable" }
  | { readonly kind: "enum"; readonly values: readonly string[] };

/** Throws NOT_SUPPORTED for types that have no column here, and says how to ask instead. */
export function columnForm(name: string, duckdb: DuckDBType): ColumnForm {
  const fixed = fixedForms[duckdb.typeId];
  if (fixed !== undefined) {
    return { name, type: fixed[1](), layout: { kind: "fixed", width: fixed[0] } };
  }
  if (duckdb.typeId === DuckDBTypeId.BOOLEAN) {
    return { name, type: new Bool(), layout: { kind: "bit" } };
  }
  if (duckdb.typeId === DuckDBTypeId.VARCHAR || duckdb.typeId === DuckDBTypeId.BLOB) {
    const type = duckdb.typeId === DuckDBTypeId.BLOB ? new Binary() : new Utf8();
    return { name, type, layout: { kind: "variable" } };
  }
  if (duckdb instanceof DuckDBEnumType) {
    return { name, type: new Utf8(), layout: { kind: "enum", values: duckdb.values } };
  }
  if (duckdb instanceof DuckDBDecimalType) {
    const type = new Decimal(duckdb.scale, duckdb.width, 128);
    return { name, type, layout: { kind: "sign-extended", from: decimalBytes(duckdb.width) } };
  }
  throw new EngineError(
    "NOT_SUPPORTED",
    `the column "${name}" is ${duckdb.toString()}, which Arrow lacks`,
    {
      hint: `write "${name}"::VARCHAR in the query, or to_json("${name}")`,
    },
  );
}

/** How many bytes DuckDB keeps for a decimal of so many digits. */
function decimalBytes(digits: number): number {
  if (digits <= 4) return 2;
  if (digits <= 9) return 4;
  return digits <= 18 ? 8 : 16;
}

/** Width in bytes, and the type of Arrow that keeps exactly these bytes. */
const fixedForms: Partial<Record<DuckDBTypeId, readonly [number, () => DataType]>> = {
  [DuckDBTypeId.TINYINT]: [1, () => new Int8()],
  [DuckDBTypeId.SMALLINT]: [2, () => new Int16()],
  [DuckDBTypeId.INTEGER]: [4, () => new Int32()],
  [DuckDBTypeId.BIGINT]: [8, () => new Int64()],
  // As DuckDB itself exports it: 38 digits are what fits into 128 bits whatever they are.
  [DuckDBTypeId.HUGEINT]: [16, () => new Decimal(0, 38, 128)],
  [DuckDBTypeId.UTINYINT]: [1, () => new Uint8()],
  [DuckDBTypeId.USMALLINT]: [2, () => new Uint16()],
  [DuckDBTypeId.UINTEGER]: [4, () => new Uint32()],
  [DuckDBTypeId.UBIGINT]: [8, () => new Uint64()],
  [DuckDBTypeId.FLOAT]: [4, () => new Float32()],
  [DuckDBTypeId.DOUBLE]: [8, () => new Float64()],
  [DuckDBTypeId.DATE]: [4, () => new DateDay()],
  [DuckDBTypeId.TIME]: [8, () => new TimeMicrosecond()],
  [DuckDBTypeId.TIMESTAMP_S]: [8, () => new TimestampSecond()],
  [DuckDBTypeId.TIMESTAMP_MS]: [8, () => new TimestampMillisecond()],
  [DuckDBTypeId.TIMESTAMP]: [8, () => new TimestampMicrosecond()],
  [DuckDBTypeId.TIMESTAMP_NS]: [8, () => new TimestampNanosecond()],
  [DuckDBTypeId.TIMESTAMP_TZ]: [8, () => new TimestampMicrosecond("UTC")],
};
