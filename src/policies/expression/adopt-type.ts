import { canonicalCid } from "#policies/expression/canonical-cid.ts";
import type { CheckContext } from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { nameHint } from "#model/name-hint.ts";
import { storageClassHint } from "#policies/foreign-words.ts";
import { cidType, nullType, sameType, type ValueType } from "#policies/expression/value-type.ts";

/** Literals take on the type that is asked for: 0 of any unit, words and CIDs in quotes. */
export function adopt(
  expression: Expression,
  wanted: ValueType,
  context: CheckContext,
): Expression {
  if (expression.kind !== "literal" || sameType(expression.type, wanted)) return expression;
  const { value, type } = expression;
  const isZero = value === 0 && type.kind === "quantity";
  if (isZero && (wanted.kind === "quantity" || wanted.kind === "percent")) {
    return { ...expression, type: wanted };
  }
  if (typeof value !== "string" || type.kind !== "text") return expression;
  if (wanted.kind === "ordinal") {
    if (!wanted.words.includes(value)) {
      const message = `there is no ${wanted.name} "${value}"`;
      const hint =
        storageClassHint(value) ?? nameHint(value, wanted.words, `values of ${wanted.name}`);
      context.report({ code: "E0207", span: expression.span, message, hint });
    }
    return { ...expression, type: wanted };
  }
  if (wanted.kind !== "cid") return expression;
  const cid = canonicalCid(value);
  if (cid === undefined) {
    const message = `"${value}" is not a CID`;
    context.report({ code: "E0207", span: expression.span, message, hint: "check it for typos" });
    return { ...expression, type: nullType };
  }
  return { ...expression, type: cidType, value: cid };
}

/** Whether values of the two types may stand side by side. */
export function comparable(left: ValueType, right: ValueType): boolean {
  const anything = [left, right].some(({ kind }) => kind === "unknown" || kind === "null");
  return anything || sameType(left, right);
}
