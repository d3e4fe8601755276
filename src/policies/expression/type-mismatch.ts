import type { Expression } from "#policies/expression/expression.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import { type Span, textOf } from "#policies/expression/span.ts";
import {
  describeType,
  durationType,
  numberType,
  sameType,
  timestampType,
} from "#policies/expression/value-type.ts";

/** Says that two sides do not fit, at the literal if there is one: that is what to change. */
export function reportMismatch(
  left: Expression,
  right: Expression,
  span: Span,
  report: ReportProblem,
  operator?: string,
): void {
  const at = right.kind === "literal" ? right.span : left.kind === "literal" ? left.span : span;
  const [one, other] = [describeType(left.type), describeType(right.type)];
  const message =
    operator === undefined
      ? `${one} cannot be compared with ${other}`
      : `"${operator}" has no meaning for ${one} and ${other}`;
  const hint = remedy(left, right) ?? remedy(right, left);
  report({ code: "E0204", span: at, message, ...(hint === undefined ? {} : { hint }) });
}

/** Says that an operator asks for an order or equality that a type does not have. */
export function reportUnordered(
  operand: Expression,
  operator: string,
  span: Span,
  report: ReportProblem,
): void {
  const isTags = operand.type.kind === "tags";
  const message = isTags
    ? `"${operator}" compares single values; tags are several`
    : `${describeType(operand.type)} has no order, so "${operator}" means nothing here`;
  const hint = isTags ? 'write tags has "tmp"' : "use =, !=, in, like or matches";
  report({ code: "E0204", span, message, hint });
}

function remedy(value: Expression, other: Expression): string | undefined {
  const { type } = value;
  const written = textOf(other.span);
  if (type.kind === "quantity" && sameType(other.type, numberType)) {
    const { bytes, time } = type.dimension;
    if (bytes === 1 && time === 0) {
      // "10M" is ten million: what was meant is a size.
      const given = /^(\d+)\s*([kM])$/.exec(written);
      const prefix = given?.[2] === "k" ? "Ki" : "Mi";
      return given === null
        ? `give it a unit: ${written}B, ${written}MiB`
        : `give it a unit: ${written}B, ${given[1]}${prefix}B`;
    }
    if (time === 1 && bytes === 0) return `give it a unit: ${written}s, ${written}d`;
  }
  if (type.kind === "text" && other.kind === "literal" && value.kind !== "literal") {
    const reading = readings.find(([wanted]) => sameType(other.type, wanted))?.[1];
    if (reading !== undefined)
      return `read the text as what it says: ${reading}(${textOf(value.span)})`;
  }
  if (type.kind === "ordinal") return `write one of its words: ${type.words.join(", ")}`;
  if (type.kind === "timestamp" && sameType(other.type, numberType)) {
    return "write the day as 2026-01-31";
  }
  if (type.kind === "percent") return "write a percentage: 85%";
  if (type.kind === "timestamp" && other.type.kind === "text") {
    return "write the point in time without quotes: 2026-01-31T18:30:00Z";
  }
  if (type.kind === "timestamp" && sameType(other.type, { ...durationOf })) {
    return `a point in time compares with another one: now - ${written}`;
  }
  if (type.kind === "tags") return 'write tags has "tmp"';
  if (other.kind !== "literal" || type.kind !== "quantity") return undefined;
  const { bytes, time } = type.dimension;
  if (bytes === 1 && time === 0) return "write a size: 64KiB, 10GiB";
  if (time === 1 && bytes === 0) return "write a duration: 12h, 30d";
  return sameType(type, numberType) ? "write a bare number: 0.5, 100" : undefined;
}

/** Functions that read a text as a value of a type. */
const readings = [
  [numberType, "number"],
  [durationType, "duration"],
  [timestampType, "timestamp"],
] as const;

const durationOf = {
  kind: "quantity",
  dimension: { bytes: 0, time: 1, money: 0 },
} as const;
