import type { Diagnostic } from "#model/diagnostic.ts";

/** What one check of `doctor` found. A warning is worth knowing and stops nothing. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "failed";
  /** What was found. */
  readonly message: string;
  /** Why it matters. */
  readonly why?: string;
  /** What to do. */
  readonly hint?: string;
  /** What is wrong in a document, and where. */
  readonly diagnostics?: readonly Diagnostic[];
}
