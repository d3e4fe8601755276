import { CID } from "multiformats/cid";
import { formatDuration, formatSize } from "#model/quantity.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/** A value as people write it: `1.25 GiB`, `45d 3h`, `"text"`, or `unknown`. */
export function valueWords(value: unknown, type: ValueType): string {
  if (value === null || value === undefined) return "unknown";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return CID.decode(value).toString();
  if (typeof value === "bigint") return valueWords(Number(value), type);
  if (typeof value === "number") return numberWords(value, type);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value !== "string") return JSON.stringify(value);
  if (type.kind === "tags") return value === "" ? "no tags" : value;
  return type.kind === "text" ? JSON.stringify(value) : value;
}

function numberWords(value: number, type: ValueType): string {
  if (type.kind === "timestamp") return new Date(value).toISOString();
  if (type.kind === "percent") return `${rounded(value * 100)} %`;
  if (type.kind === "quantity") {
    const { bytes, time, money } = type.dimension;
    if (bytes === 1 && time === 0 && money === 0) return formatSize(value);
    if (bytes === 0 && time === 1 && money === 0) return formatDuration(value);
    if (bytes === 0 && time === 0 && money === 1) return `${rounded(value)} USD`;
  }
  return rounded(value);
}

/** Three significant digits, but whole numbers whole. */
function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}
