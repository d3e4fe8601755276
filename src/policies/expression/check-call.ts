import type { ObjectFunction, Parameter } from "#policies/attribute-definition.ts";
import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { namesInScope } from "#policies/expression/check-name.ts";
import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { requireCondition } from "#policies/expression/require-condition.ts";
import { nameHint } from "#policies/expression/name-hint.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import {
  booleanType,
  describeType,
  sameType,
  unknownType,
} from "#policies/expression/value-type.ts";

type Call = Extract<Syntax, { kind: "call" }>;

/** `missing(x)`, or a function of the registry. */
export function checkCall(syntax: Call, context: CheckContext, check: Check): Expression {
  const { name, span } = syntax;
  if (name === "missing") return checkMissing(syntax, context, check);
  const definition = context.registry.get(name);
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
    const hint = nameHint(name, ["missing", ...namesInScope(context)], "known here");
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
  if (operand.kind !== "attribute" && operand.type.kind !== "unknown") {
    const message = "missing() asks for an attribute, not for a computed value";
    context.report({ code: "E0209", span: operand.span, message, hint: "missing(collection)" });
  }
  const isKnown =
    operand.kind === "attribute" && !operand.definition.nullable && operand.type.kind !== "tags";
  if (isKnown) {
    const message = `"${operand.definition.name}" is never missing`;
    context.report({ code: "W0406", span, message, hint: "remove the question" });
  }
  return { kind: "missing", operand, type: booleanType, span };
}

function checkArguments(
  syntax: Call,
  definition: ObjectFunction,
  context: CheckContext,
  check: Check,
): readonly Expression[] {
  const { parameters } = definition;
  const required = parameters.filter((parameter) => parameter.optional !== true).length;
  const count = syntax.arguments.length;
  if (count < required || count > parameters.length) {
    context.report({
      code: "E0209",
      span: syntax.span,
      message: `"${syntax.name}" takes ${parameters.map(describeParameter).join(", ") || "nothing"}`,
      hint: `write ${definition.example}`,
    });
  }
  return syntax.arguments.slice(0, parameters.length).map((argument, position) => {
    const parameter = parameters[position];
    if (parameter === undefined || parameter.kind === "condition") {
      const condition = check(argument, undefined, "copy");
      requireCondition(condition, context);
      return condition;
    }
    return checkConstant(check(argument), parameter, context);
  });
}

function checkConstant(
  value: Expression,
  parameter: Extract<Parameter, { kind: "constant" }>,
  context: CheckContext,
): Expression {
  if (value.type.kind === "unknown") return value;
  const { span } = value;
  if (!sameType(value.type, parameter.type)) {
    const message = `${parameter.name} must be ${describeType(parameter.type)}`;
    const hint = `found ${describeType(value.type)}`;
    context.report({ code: "E0209", span, message, hint });
  } else if (value.kind !== "literal" || !isConstant(value)) {
    const message = `${parameter.name} must be written out`;
    context.report({ code: "E0209", span, message, hint: "use a literal or a $variable" });
  } else {
    const refusal = parameter.refuse?.(value.value);
    if (refusal !== undefined) context.report({ code: "E0209", span, message: refusal });
  }
  return value;
}

function describeParameter(parameter: Parameter): string {
  const type =
    parameter.kind === "condition" ? "a condition over copies" : describeType(parameter.type);
  const optional = parameter.optional === true ? ", optional" : "";
  return `${parameter.name} (${type}${optional})`;
}
