import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import type { LiteralValue, Syntax } from "#policies/expression/syntax.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/** What an expression speaks about: an object, a backend, or one copy on a backend. */
export type Scope = "object" | "backend" | "copy";

/** What the names in an expression may mean. */
export interface CheckContext {
  readonly registry: AttributeRegistry;
  readonly scope: Scope;
  readonly variables: VariableScope;
  readonly classes: ClassScope;
  readonly report: ReportProblem;
}

/**
 * Checks a subexpression. `expected` gives bare words a meaning (`tier = hot`), `scope` changes
 * what the part speaks about.
 */
export type Check = (syntax: Syntax, expected?: ValueType, scope?: Scope) => Expression;

/** A `$name`: its declared type and the value it has in this run. */
export interface Variable {
  readonly type: ValueType;
  readonly value: LiteralValue;
}

/** The variables of a policy. */
export interface VariableScope {
  readonly names: readonly string[];
  get(name: string): Variable | undefined;
}

/** The classes of a policy, checked when first used. */
export interface ClassScope {
  readonly names: readonly string[];
  /** Undefined when the class has an error, which was reported at the class. */
  body(name: string): { readonly scope: Scope; readonly expression: Expression } | undefined;
}

export const noClasses: ClassScope = { names: [], body: () => undefined };

export const noVariables: VariableScope = { names: [], get: () => undefined };
