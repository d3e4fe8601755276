/** One finding in a document, with its place. Lines and columns count from 1. */
export interface Diagnostic {
  readonly file: string;
  readonly range: { readonly start: Position; readonly end: Position };
  readonly severity: "error" | "warning" | "info";
  /** Stable, documented in docs/diagnostics: E0102. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}
