import { type Expression, operandsOf } from "#policies/expression/expression.ts";

/**
 * Attributes that may be unknown and stand below a negation without being asked for by
 * `missing()`. Objects where they are unknown are not selected: in a rule that protects, a gap.
 */
export function unprotectedUnknowns(where: Expression): readonly string[] {
  const negated = new Set<string>();
  const asked = new Set<string>();
  const visit = (part: Expression, isNegated: boolean): void => {
    if (part.kind === "missing" && part.operand.kind === "attribute") {
      asked.add(part.operand.definition.name);
      return;
    }
    if (part.kind === "attribute" && isNegated && part.definition.nullable) {
      negated.add(part.definition.name);
    }
    const negates = part.kind === "not" || (part.kind === "comparison" && part.operator === "!=");
    for (const operand of operandsOf(part)) visit(operand, isNegated || negates);
  };
  visit(where, false);
  // The name is the last segment of the path: one is unknown exactly when the other is.
  const isAsked = (name: string): boolean =>
    asked.has(name) ||
    (name === "name" && asked.has("path")) ||
    (name === "path" && asked.has("name"));
  return [...negated].filter((name) => !isAsked(name));
}
