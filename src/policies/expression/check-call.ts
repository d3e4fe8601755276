import { checkArguments } from "#policies/expression/check-arguments.ts";
import { checkComputation } from "#policies/expression/check-computation.ts";
import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { namesInScope } from "#policies/expression/check-name.ts";
import { type Expression, mayBeUnknown } from "#policies/expression/expression.ts";
import { nameHint } from "#model/name-hint.ts";
import { foreignNameHint } from "#policies/foreign-words.ts";
import { textOf } from "#policies/expression/span.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { booleanType, unknownType, type ValueType } from "#policies/expression/value-type.ts";

type Call = Extract<Syntax, { kind: "call" }>;

/** `missing(x)`, or a function of the registry. */
export function checkCall(
  syntax: Call,
  expected: ValueType | undefined,
  context: CheckContext,
  check: Check,
): Expression {
  const { name, span } = syntax;
  if (name === "missing") return checkMissing(syntax, context, check);
  const definition = context.registry.get(name);
  if (definition?.kind === "computation") {
    return checkComputation(syntax, definition, expected, context, check);
  }
  if (definition?.kind === "function" && context.scope === "object") {
    const values = checkArguments(syntax, definition, context, check);
    return { kind: "function", definition, arguments: values, type: definition.type, span };
  }
  if (definition?.kind === "attribute") {
    const message = `"${name}" takes no arguments`;
    context.report({ code: "E0209", span, message, hint: `write ${name}` });
  } else if (definition !== undefined) {
    const message = `"${name}" describes objects; here backends are described`;
    context.report({ code: "E0205", span, message });
  } else {
    const foreign = foreignNameHint(name, context.scope);
    const hint = foreign ?? nameHint(name, ["missing", ...namesInScope(context)], "known here");
    context.report({ code: "E0201", span, message: `unknown function "${name}"`, hint });
  }
  return { kind: "literal", type: unknownType, value: null, span };
}

function checkMissing(syntax: Call, context: CheckContext, check: Check): Expression {
  const { span } = syntax;
  const [argument, ...rest] = syntax.arguments;
  if (argument === undefined || rest.length > 0) {
    const message = "missing() asks for one attribute";
    context.report({ code: "E0209", span, message, hint: "missing(collection)" });
    return { kind: "literal", type: unknownType, value: null, span };
  }
  const operand = check(argument);
  const isWord = ["attribute", "function", "computation"].includes(operand.kind);
  if (!isWord && operand.type.kind !== "unknown") {
    const message = "missing() asks for an attribute, not for a computed value";
    context.report({ code: "E0209", span: operand.span, message, hint: "missing(collection)" });
  } else if (isWord && !mayBeUnknown(operand) && operand.type.kind !== "tags") {
    const message = `"${textOf(operand.span)}" is never missing`;
    context.report({ code: "W0406", span, message, hint: "remove the question" });
  }
  return { kind: "missing", operand, type: booleanType, span };
}
