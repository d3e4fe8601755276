import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIME,
  TIMESTAMP,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TIMESTAMPTZ,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from "#index/duckdb.ts";
import { DataType } from "apache-arrow";
import { EngineError } from "#model/engine-error.ts";

/** How a column of Arrow goes into one of DuckDB: as the same bytes, or value by value. */
export interface DuckDBForm {
  readonly type: DuckDBType;
  readonly sameBytes: boolean;
}

/** The type of DuckDB for a column of Arrow. Throws NOT_SUPPORTED. */
export function duckdbForm(name: string, type: DataType, text: string): DuckDBForm {
  const same = sameBytes[text];
  if (same !== undefined) return { type: same, sameBytes: true };
  if (DataType.isDecimal(type) && type.bitWidth === 128) {
    return { type: DECIMAL(38, type.scale), sameBytes: true };
  }
  if (DataType.isTimestamp(type) && text.startsWith("Timestamp<MICROSECOND,")) {
    return { type: TIMESTAMPTZ, sameBytes: true };
  }
  const values: DataType = DataType.isDictionary(type) ? (type.dictionary as DataType) : type;
  if (DataType.isUtf8(values) || DataType.isLargeUtf8(values)) {
    return { type: VARCHAR, sameBytes: false };
  }
  if (DataType.isBinary(values) || DataType.isLargeBinary(values)) {
    return { type: BLOB, sameBytes: false };
  }
  if (DataType.isBool(type)) return { type: BOOLEAN, sameBytes: false };
  throw new EngineError(
    "NOT_SUPPORTED",
    `the column "${name}" is ${text}: it cannot be converted`,
    {
      hint: "take the batch as it is (.arrow, .car), or publish it with plain columns",
    },
  );
}

const sameBytes: Readonly<Record<string, DuckDBType>> = {
  Int8: TINYINT,
  Int16: SMALLINT,
  Int32: INTEGER,
  Int64: BIGINT,
  Uint8: UTINYINT,
  Uint16: USMALLINT,
  Uint32: UINTEGER,
  Uint64: UBIGINT,
  Float32: FLOAT,
  Float64: DOUBLE,
  "Date32<DAY>": DATE,
  "Time64<MICROSECOND>": TIME,
  "Timestamp<SECOND>": TIMESTAMP_S,
  "Timestamp<MILLISECOND>": TIMESTAMP_MS,
  "Timestamp<MICROSECOND>": TIMESTAMP,
  "Timestamp<NANOSECOND>": TIMESTAMP_NS,
};
