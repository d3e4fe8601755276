import type { CheckContext } from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { nameHint } from "#model/name-hint.ts";
import type { Span } from "#policies/expression/span.ts";
import { booleanType, unknownType } from "#policies/expression/value-type.ts";

/** `class name`: the named predicate, checked where it stands. */
export function checkClass(name: string, span: Span, context: CheckContext): Expression {
  const unknown: Expression = { kind: "literal", type: unknownType, value: null, span };
  if (!context.classes.names.includes(name)) {
    const hint = nameHint(name, context.classes.names, "classes under classes:");
    context.report({ code: "E0203", span, message: `there is no class "${name}"`, hint });
    return unknown;
  }
  const found = context.classes.body(name);
  if (found === undefined) return unknown;
  if (found.scope !== context.scope) {
    const subject = found.scope === "object" ? "objects" : "backends";
    const wanted = context.scope === "object" ? "objects" : "backends";
    const message = `the class "${name}" describes ${subject}; here ${wanted} are described`;
    context.report({ code: "E0205", span, message, hint: "write the condition out" });
    return unknown;
  }
  return { kind: "class", name, body: found.expression, type: booleanType, span };
}
