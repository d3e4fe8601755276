import type { CoverageReport, RuleCoverage } from "#model/policy-test-report.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { clauseOf, type Test, testsIn } from "#policies/explain/clause.ts";
import { testTruth } from "#policies/explain/read-tests.ts";
import { isConstant } from "#policies/expression/expression.ts";
import { joinFragments, sql, toStatement, trusted } from "#policies/sql-fragment.ts";
import { coverageReport } from "#policies/testing/coverage-report.ts";
import type { Evaluation } from "#policies/testing/evaluate-wave.ts";

/** Statements of more columns than this take long to compile. */
const testsPerStatement = 200;

interface Seen {
  readonly text: string;
  isTrue: boolean;
  isFalse: boolean;
}

/** Gathers over many cases which clauses of the rules were true of some object, and which not. */
export class ClauseCoverage {
  readonly #rules = new Map<
    string,
    { readonly place: string; readonly clauses: readonly Seen[] }
  >();

  /** Looks at all clauses for all these objects. */
  async observe({ set, session }: Evaluation, objects: readonly number[]): Promise<void> {
    const open = set.rules.flatMap((rule) => this.#unseen(rule));
    const context = { ...set.moment, path: trusted("o.path") };
    for (let at = 0; at < open.length; at += testsPerStatement) {
      const part = open.slice(at, at + testsPerStatement);
      const truths = part.map(
        ({ test, protective }, place) =>
          sql`${testTruth(test, protective, context)} AS ${trusted(`t${place}`)}`,
      );
      const columns = part.map((_, place) =>
        trusted(
          `bool_or(t${place} IS TRUE) AS y${place}, bool_or(t${place} IS NOT TRUE) AS n${place}`,
        ),
      );
      const [row = {}] = await session.rows(
        toStatement(sql`SELECT ${joinFragments(columns, ", ")} FROM (
          SELECT ${joinFragments(truths, ",\n")} FROM object o
          WHERE o.object_id IN (SELECT unnest(${trusted(`[${objects.join()}]::BIGINT[]`)})))`),
      );
      for (const [place, { seen }] of part.entries()) {
        seen.isTrue ||= row[`y${place}`] === true;
        seen.isFalse ||= row[`n${place}`] === true;
      }
    }
  }

  /** The clauses of a rule that have not been seen both ways yet. */
  #unseen(rule: CompiledRule) {
    const tests = testsOf(rule);
    const known = this.#rules.get(rule.id);
    const clauses =
      known?.clauses ?? tests.map(({ text }) => ({ text, isTrue: false, isFalse: false }));
    if (known === undefined) this.#rules.set(rule.id, { place: rule.place, clauses });
    const protective = rule.verb.kind === "hold" || rule.verb.kind === "ensure";
    return tests.flatMap((test, at) => {
      const seen = clauses[at];
      return seen === undefined || (seen.isTrue && seen.isFalse)
        ? []
        : [{ test, protective, seen }];
    });
  }

  report(): CoverageReport {
    const rules = [...this.#rules].map(([rule, { place, clauses }]): RuleCoverage => ({
      rule,
      place,
      clauses: clauses.map(({ text, isTrue, isFalse }) => ({
        text,
        seenTrue: isTrue,
        seenFalse: isFalse,
      })),
    }));
    return coverageReport(rules);
  }
}

/** The tests of a rule that can come out either way. */
function testsOf({ expression }: CompiledRule): readonly Test[] {
  return testsIn(clauseOf(expression)).filter((test) => !isConstant(test.expression));
}
