import { type Expression, readsName } from "#policies/expression/expression.ts";
import { textOf } from "#policies/expression/span.ts";

/** A condition taken apart: groups of tests, each test one thing asked of the object. */
export type Clause =
  | { readonly kind: "all" | "any"; readonly parts: readonly Clause[] }
  | { readonly kind: "not"; readonly part: Clause }
  | { readonly kind: "class"; readonly name: string; readonly part: Clause }
  | Test;

/** Something that is true, false or unknown (null) of an object. */
export interface Test {
  readonly kind: "test";
  readonly text: string;
  readonly expression: Expression;
  readonly readsName: boolean;
}

/** The clauses of a checked condition. */
export function clauseOf(expression: Expression): Clause {
  switch (expression.kind) {
    case "logical": {
      const kind = expression.operator === "and" ? "all" : "any";
      return { kind, parts: expression.operands.map(clauseOf) };
    }
    case "not":
      return { kind: "not", part: clauseOf(expression.operand) };
    case "class":
      return { kind: "class", name: expression.name, part: clauseOf(expression.body) };
    default: {
      const text = textOf(expression.span).replaceAll(/\s+/g, " ").trim();
      return { kind: "test", text, expression, readsName: readsName(expression) };
    }
  }
}

/** All tests of a clause, in the order of the text. */
export function testsIn(clause: Clause): readonly Test[] {
  switch (clause.kind) {
    case "test":
      return [clause];
    case "all":
    case "any":
      return clause.parts.flatMap(testsIn);
    default:
      return testsIn(clause.part);
  }
}

/** Truth of a clause from that of its tests, with SQL's three values. */
export function truthOf(clause: Clause, test: (test: Test) => boolean | null): boolean | null {
  switch (clause.kind) {
    case "test":
      return test(clause);
    case "class":
      return truthOf(clause.part, test);
    case "not": {
      const truth = truthOf(clause.part, test);
      return truth === null ? null : !truth;
    }
    default: {
      const decisive = clause.kind === "any";
      const truths = clause.parts.map((part) => truthOf(part, test));
      if (truths.includes(decisive)) return decisive;
      return truths.includes(null) ? null : !decisive;
    }
  }
}
