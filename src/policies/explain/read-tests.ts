import type { SqlContext } from "#policies/attribute-definition.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import type { ReadSession } from "#model/sql.ts";
import type { Test } from "#policies/explain/clause.ts";
import { subjectOf } from "#policies/explain/test-subject.ts";
import { compileValue } from "#policies/expression/compile-expression.ts";
import type { Expression } from "#policies/expression/expression.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";

/** What a test found: its truth, and the values on its two sides (the right one if variable). */
export interface Reading {
  readonly truth: boolean | null;
  readonly value: unknown;
  readonly other: unknown;
}

/** Asks all tests of one object in one statement. */
export async function readTests(
  session: ReadSession,
  moment: Moment,
  objectId: number,
  tests: readonly (readonly [test: Test, protective: boolean])[],
): Promise<ReadonlyMap<Test, Reading>> {
  const context = { ...moment, path: trusted("o.path") };
  const columns = tests.map(([test, protective], at) => {
    const { subject, other } = subjectOf(test.expression);
    const name = (letter: string) => trusted(`${letter}${at}`);
    return sql`${testTruth(test, protective, context)} AS ${name("t")},
      ${plain(subject, context)} AS ${name("v")},
      ${other === undefined ? trusted("NULL") : plain(other, context)} AS ${name("w")}`;
  });
  if (columns.length === 0) return new Map();
  const [row = {}] = await session.rows(
    toStatement(sql`SELECT ${joinFragments(columns, ",\n")} FROM object o
      WHERE o.object_id = ${objectId}::BIGINT`),
  );
  return new Map(
    tests.map(([test], at) => [
      test,
      {
        truth: row[`t${at}`] as boolean | null,
        value: row[`v${at}`],
        other: row[`w${at}`],
      },
    ]),
  );
}

/**
 * SQL of the truth of a test over `object o`. Over several names a protective rule asks for any
 * of them, the others for all.
 */
export function testTruth(test: Test, protective: boolean, context: SqlContext): SqlFragment {
  const byPath = compileValue(test.expression, context);
  if (!test.readsName) return byPath;
  const byName = compileValue(test.expression, { ...context, path: trusted("n.path") });
  const over = trusted(protective ? "bool_or" : "bool_and");
  return sql`CASE WHEN o.names > 1 THEN (SELECT ${over}(coalesce(${byName}, false)) FROM name n
    WHERE n.object_id = o.object_id) ELSE ${byPath} END`;
}

/** A value in a type that any reader of rows can carry. */
function plain(expression: Expression, context: SqlContext): SqlFragment {
  const value = compileValue(expression, context);
  return expression.type.kind === "tags" ? sql`array_to_string(${value}, ', ')` : value;
}
