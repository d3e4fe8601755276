import { confidences, tiers } from "#model/copy.ts";

/**
 * The types of the expression language. Quantities carry their dimension as exponents, so that
 * `size > 3d` is refused and `20MiB/s * 1h` is known to be bytes.
 */
export type ValueType =
  | { readonly kind: "boolean" }
  | { readonly kind: "quantity"; readonly dimension: Dimension }
  | { readonly kind: "percent" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "text" }
  | { readonly kind: "cid" }
  | { readonly kind: "tags" }
  | { readonly kind: "ordinal"; readonly name: string; readonly words: readonly string[] }
  | { readonly kind: "null" }
  | { readonly kind: "unknown" };

/** Exponents of the base units: bytes, milliseconds, US dollars. */
export interface Dimension {
  readonly bytes: number;
  readonly time: number;
  readonly money: number;
}

export const booleanType: ValueType = { kind: "boolean" };
export const percentType: ValueType = { kind: "percent" };
export const timestampType: ValueType = { kind: "timestamp" };
export const textType: ValueType = { kind: "text" };
export const cidType: ValueType = { kind: "cid" };
export const tagsType: ValueType = { kind: "tags" };
export const nullType: ValueType = { kind: "null" };
/** Stands where an error was reported already, so that no second one follows from it. */
export const unknownType: ValueType = { kind: "unknown" };
/** Tiers compare from the warmest to the coldest: `tier <= warm` is cache, hot and warm. */
export const tierType: ValueType = { kind: "ordinal", name: "tier", words: tiers };
/** Confidence compares from the weakest to the strongest. */
export const confidenceType: ValueType = {
  kind: "ordinal",
  name: "confidence",
  words: confidences,
};
/** Spans of the calendar in UTC; weeks begin on Monday. */
export const periodType = {
  kind: "ordinal",
  name: "period",
  words: ["hour", "day", "week", "month", "year"],
} as const satisfies ValueType;
export const numberType = quantity({});
export const bytesType = quantity({ bytes: 1 });
export const durationType = quantity({ time: 1 });

export function quantity(dimension: Partial<Dimension>): ValueType {
  return { kind: "quantity", dimension: { bytes: 0, time: 0, money: 0, ...dimension } };
}

export function sameType(left: ValueType, right: ValueType): boolean {
  if (left.kind === "quantity" && right.kind === "quantity") {
    return describeType(left) === describeType(right);
  }
  if (left.kind === "ordinal" && right.kind === "ordinal") return left.name === right.name;
  return left.kind === right.kind;
}

/** Whether `<` means something for values of this type. */
export function isOrdered(type: ValueType): boolean {
  return ["quantity", "percent", "timestamp", "ordinal", "unknown"].includes(type.kind);
}

/** The type as a noun for messages: `bytes`, `a duration`, `USD per GiB and month`. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case "quantity":
      return describeDimension(type.dimension);
    case "ordinal":
      return `a ${type.name} (${type.words.join(", ")})`;
    case "boolean":
      return "a condition";
    case "percent":
      return "a percentage";
    case "timestamp":
      return "a point in time";
    case "cid":
      return "a CID";
    default:
      return type.kind;
  }
}

const dimensionNames: Readonly<Record<string, string>> = {
  "0,0,0": "a number",
  "1,0,0": "bytes",
  "0,1,0": "a duration",
  "0,-1,0": "a rate",
  "1,-1,0": "a bandwidth",
  "0,0,1": "money",
  "-1,0,1": "money per bytes",
  "-1,-1,1": "money per bytes and time",
  "0,-1,1": "money per time",
};

function describeDimension({ bytes, time, money }: Dimension): string {
  const known = dimensionNames[`${bytes},${time},${money}`];
  return known ?? `bytes^${bytes} time^${time} money^${money}`;
}
