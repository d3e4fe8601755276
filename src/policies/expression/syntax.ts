import type { Span } from "#policies/expression/span.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/** What the parser yields: names are not resolved and types not known yet. */
export type Syntax = { readonly span: Span } & (
  | { readonly kind: "literal"; readonly type: ValueType; readonly value: LiteralValue }
  | { readonly kind: "name"; readonly name: string; readonly key: string | undefined }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "class"; readonly name: string }
  | { readonly kind: "now" }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Syntax[] }
  | { readonly kind: "logical"; readonly operator: "and" | "or"; readonly operands: Syntaxes }
  | { readonly kind: "not"; readonly operand: Syntax }
  | { readonly kind: "negate"; readonly operand: Syntax }
  | ({ readonly kind: "comparison"; readonly operator: ComparisonOperator } & TwoSides)
  | ({ readonly kind: "arithmetic"; readonly operator: ArithmeticOperator } & TwoSides)
  | {
      readonly kind: "between";
      readonly value: Syntax;
      readonly low: Syntax;
      readonly high: Syntax;
    }
  | { readonly kind: "in"; readonly value: Syntax; readonly items: Syntaxes }
  | { readonly kind: "member"; readonly value: Syntax; readonly set: Syntax }
  | ({ readonly kind: "like" | "matches" | "has" } & TwoSides)
);

export type Syntaxes = readonly Syntax[];
export type LiteralValue = number | string | boolean | null;
export type ComparisonOperator = "=" | "!=" | "<" | "<=" | ">" | ">=";
export type ArithmeticOperator = "+" | "-" | "*" | "/";

interface TwoSides {
  readonly left: Syntax;
  readonly right: Syntax;
}
