import type { Diagnostic } from "#model/diagnostic.ts";

/** What came of tests of policies. */
export interface PolicyTestReport {
  /** What is wrong with tests, and with the policies they are of. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every case that could be run, in the order of the files. */
  readonly cases: readonly CaseReport[];
  readonly coverage: CoverageReport;
}

export interface CaseReport {
  readonly file: string;
  /** Name of the test document. */
  readonly suite: string;
  readonly name: string;
  /** Where the case stands. */
  readonly range: Diagnostic["range"];
  readonly failures: readonly CaseFailure[];
}

/** One thing that is not as expected. */
export interface CaseFailure {
  readonly kind: "missing" | "unexpected" | "not-blocked" | "selection" | "cost";
  /** The object it is about; for the cost of all actions, empty. */
  readonly object: string;
  /** Where it is expected; for what is unexpected, where the case stands. */
  readonly range: Diagnostic["range"];
  /** In the words of the test. */
  readonly message: string;
  /** What explain says of the object: the rules in question, clause by clause. */
  readonly why: readonly string[];
}

/** Which clauses of the rules the cases have seen true, and which not true. */
export interface CoverageReport {
  /** Two for each clause: seen true, and seen not true. */
  readonly outcomes: number;
  readonly seen: number;
  readonly rules: readonly RuleCoverage[];
}

export interface RuleCoverage {
  /** `policy/rule`. */
  readonly rule: string;
  /** `file:line:column`. */
  readonly place: string;
  readonly clauses: readonly ClauseCoverage[];
}

export interface ClauseCoverage {
  readonly text: string;
  readonly seenTrue: boolean;
  /** False or unknown. */
  readonly seenFalse: boolean;
}
