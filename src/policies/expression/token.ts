import type { Span } from "#policies/expression/span.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/** What the lexer hands to the parser. Keywords are words; the parser knows them. */
export type Token = { readonly span: Span } & (
  | { readonly kind: "literal"; readonly type: ValueType; readonly value: number | string }
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "symbol"; readonly text: SymbolText }
  | { readonly kind: "end" }
);

export const symbols = [
  "<=", ">=", "!=", "=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", ".",
] as const; // prettier-ignore

export type SymbolText = (typeof symbols)[number];
