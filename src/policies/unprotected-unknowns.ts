import { type Expression, mayBeUnknown, operandsOf } from "#policies/expression/expression.ts";
import { textOf } from "#policies/expression/span.ts";

/**
 * Attributes and functions that may be unknown and stand below a negation without being asked for
 * by `missing()`. Objects where they are unknown are not selected: in a rule that protects, a gap.
 */
export function unprotectedUnknowns(where: Expression): readonly string[] {
  const negated = new Set<string>();
  const asked = new Set<string>();
  const visit = (part: Expression, isNegated: boolean): void => {
    if (part.kind === "missing") {
      asked.add(wordsOf(part.operand));
      return;
    }
    if (part.kind === "attribute" || part.kind === "function") {
      if (isNegated && mayBeUnknown(part)) negated.add(wordsOf(part));
      // What a function is asked with is its own affair: it is known or unknown as a whole.
      return;
    }
    // What has a value for every object has one below a negation too.
    if (part.kind === "computation" && !mayBeUnknown(part)) return;
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

/** As the author wrote it: `owner`, `meta.host`, `newest(3, path)`. */
function wordsOf({ span }: Expression): string {
  return textOf(span).replaceAll(/\s+/g, " ").trim();
}
