import type { ObjectDetail } from "#model/engine-api.ts";
import type { VariableValues } from "#model/variable-values.ts";

export interface ExplainRequest {
  /** CID, path or numeric object id. */
  readonly object: string;
  readonly at?: string;
  readonly variables?: VariableValues;
}

export interface RuleStatementRequest {
  /** A policy, or one rule of it: `policy/rule`. */
  readonly rule: string;
  readonly at?: string;
  readonly variables?: VariableValues;
}

/** SQL for people: what a rule asks of the index, with its values in the text. */
export interface RuleStatement {
  /** `policy/rule`. */
  readonly rule: string;
  /** `file:line:column`. */
  readonly place: string;
  readonly verb: string;
  readonly sql: string;
}

export interface Explanation {
  readonly object: ObjectDetail;
  readonly evaluatedAt: string;
  readonly rules: readonly RuleExplanation[];
  /** What the plan would do with this object now, in words. */
  readonly conclusion: readonly string[];
  /** The next moment at which time alone changes the answer, if one is known. */
  readonly nextChange: { readonly at: string; readonly what: string } | undefined;
}

export interface RuleExplanation {
  readonly rule: string;
  readonly place: string;
  readonly verb: string;
  readonly matched: boolean;
  /** `applies`, or why a matching rule does nothing here: lost to another, satisfied, blocked. */
  readonly result: string;
  readonly clauses: readonly ClauseExplanation[];
}

export interface ClauseExplanation {
  readonly text: string;
  readonly holds: boolean;
  /** The value of the left-hand side now, as people write it. */
  readonly value: string;
  /** The value that would flip it, and when time alone gets there. */
  readonly flip: string | undefined;
}
