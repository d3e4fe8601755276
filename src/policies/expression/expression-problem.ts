import type { DiagnosticCode } from "#policies/diagnostic-codes.ts";
import type { Span } from "#policies/expression/span.ts";

/** One finding in an expression; the document layer turns its offsets into line and column. */
export interface ExpressionProblem {
  readonly code: DiagnosticCode;
  readonly span: Span;
  readonly message: string;
  readonly hint?: string;
}

/** Takes problems as they are found, so that one pass reports all of them. */
export type ReportProblem = (problem: ExpressionProblem) => void;
