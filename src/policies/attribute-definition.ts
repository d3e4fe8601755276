import type { Backend } from "#model/backend.ts";
import type { Confidence } from "#model/copy.ts";
import type { HeatSettings } from "#model/index-store.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { ComparisonOperator, LiteralValue } from "#policies/expression/syntax.ts";
import type { ValueType } from "#policies/expression/value-type.ts";
import type { SqlFragment } from "#policies/sql-fragment.ts";

/** The default export of a file in `src/policies/attributes/`: one word of the language. */
export type AttributeDefinition = ObjectAttribute | CopyAttribute | ObjectFunction | ValueFunction;

interface Entry {
  /** Equals the file name, which has dashes for underscores. */
  readonly name: string;
  /** What it means, as one sentence for the reference page and for editors. */
  readonly summary: string;
  /** An expression that uses it; a test compiles it. */
  readonly example: string;
  readonly type: ValueType;
  /** What makes its value change, so that explain can say when an answer may change. */
  readonly changes: "never" | "time" | "reads" | "edits" | "copies" | "inventory";
}

/** Something every object has, read from a row of the view `object` (alias `o`). */
export interface ObjectAttribute extends Entry {
  readonly kind: "attribute";
  readonly scope: "object";
  /** Whether it may be unknown; `missing(x)` asks for that. */
  readonly nullable: boolean;
  /** `meta.<key>`: the attribute is used with a key. */
  readonly keyed?: true;
  /** A column as it stands: the database knows the least and greatest text of stretches of rows. */
  readonly isColumn?: true;
  /** SQL of the value. Durations are milliseconds as DOUBLE, points in time TIMESTAMP. */
  sql(context: SqlContext, key?: string): SqlFragment;
  /** A cheaper form of a comparison with a constant, where there is one. */
  compare?(
    context: SqlContext,
    operator: ComparisonOperator,
    constant: number,
  ): SqlFragment | undefined;
  /** For durations that count from an instant: that instant, so that comparisons can prune. */
  since?(context: SqlContext): SqlFragment;
  /** For sets: whether some member passes a test. */
  some?(test: (member: SqlFragment) => SqlFragment): SqlFragment;
  /** For sets: whether nothing is in it, the meaning of `missing(x)`. */
  empty?(): SqlFragment;
  /** Its value depends on the other objects there are. */
  readonly amongObjects?: true;
  /** Its value reads the object's name: the predicate is compiled once more over all names. */
  readonly byName?: true;
}

/** A fact of a backend (scope `backend`) or of one copy on it (scope `copy`). */
export interface CopyAttribute extends Entry {
  readonly kind: "attribute";
  readonly scope: "backend" | "copy";
  readonly nullable: boolean;
  /** `labels.<key>`: the attribute is used with a key. */
  readonly keyed?: true;
  value(subject: CopySubject, key: string | undefined): LiteralValue;
}

/** Backends are judged when the policy is compiled, not in SQL. */
export interface CopySubject {
  readonly backend: Backend;
  readonly confidence: Confidence;
}

/** Something asked of an object with arguments. */
export interface ObjectFunction extends Entry {
  readonly kind: "function";
  readonly scope: "object";
  readonly parameters: readonly Parameter[];
  /** Whether it may be unknown. */
  readonly nullable?: true;
  /** Its value depends on the other objects there are. */
  readonly amongObjects?: true;
  sql(context: SqlContext, values: readonly Expression[]): SqlFragment;
  /** A cheaper form of a comparison with a constant, where there is one. */
  compare?(
    context: SqlContext,
    values: readonly Expression[],
    operator: ComparisonOperator,
    constant: number,
  ): SqlFragment;
}

/** Something computed from values, of objects and of backends alike. */
export interface ValueFunction extends Omit<Entry, "type"> {
  readonly kind: "computation";
  readonly scope: "value";
  /** Missing when it is that of its values. */
  readonly type?: ValueType;
  /** Types of its values; `same` stands for any type, one for all of them. */
  readonly parameters: readonly { readonly name: string; readonly type: ValueType | "same" }[];
  /** Whether it may be unknown, from whether each of its values may be. */
  mayBeUnknown(values: readonly boolean[]): boolean;
  sql(...values: readonly SqlFragment[]): SqlFragment;
  /** The same for values that are known when a policy is compiled. */
  value(...values: readonly LiteralValue[]): LiteralValue;
  /** Both for words of an ordered type, where their order matters. */
  amongWords?(words: readonly string[]): Pick<ValueFunction, "sql" | "value">;
}

/** One argument; an optional one that what stands at its place does not fit is passed over. */
export type Parameter = { readonly name: string; readonly optional?: true } & (
  | {
      readonly kind: "constant";
      readonly types: readonly ValueType[];
      /** Why a value of the right type is still not allowed, or undefined. */
      refuse?(value: LiteralValue, type: ValueType): string | undefined;
    }
  /** One of the words of an ordered type. */
  | { readonly kind: "word"; readonly type: ValueType & { readonly kind: "ordinal" } }
  /** An attribute of objects, by whose text they belong together. */
  | { readonly kind: "key" }
  /** A condition; one over copies is about backends and how sure we are of the copies there. */
  | { readonly kind: "condition"; readonly of: "objects" | "backends" | "copies" }
);

/** What compilation to SQL is bound to. */
export interface SqlContext {
  readonly now: Date;
  readonly heat: HeatSettings;
  readonly backends: readonly Backend[];
  /** The name in question: `o.path`, or `n.path` when compiled over the view `name`. */
  readonly path: SqlFragment;
}
