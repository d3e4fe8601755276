import { evaluate } from "#policies/expression/evaluate.ts";
import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { textOf } from "#policies/expression/span.ts";
import { comparisonBounds, conjuncts, isWithin, valueBounds } from "#policies/value-bounds.ts";

/**
 * Whether every object that one condition selects is certain to be selected by the other: each
 * condition of the wider one is among, or follows from, those of the narrower.
 */
export function implies(narrow: Expression, wide: Expression, now: Date): boolean {
  const given = conjuncts(narrow);
  const texts = new Set(given.map(canonicalText));
  const bounds = valueBounds(narrow, now);
  return conjuncts(wide).every((part) => {
    if (isConstant(part)) return evaluate(part, now, undefined) === true;
    if (texts.has(canonicalText(part))) return true;
    const wanted = comparisonBounds(part, now);
    return (
      wanted.length > 0 &&
      wanted.every(({ key, interval }) => {
        const known = bounds.get(key.name);
        return known !== undefined && isWithin(known, interval);
      })
    );
  });
}

function canonicalText(expression: Expression): string {
  return textOf(expression.span).replaceAll(/\s+/g, " ");
}
