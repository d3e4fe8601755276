import { nearestMatch } from "#model/nearest-match.ts";
import type { ObjectFunction, Parameter } from "#policies/attribute-definition.ts";
import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { requireCondition } from "#policies/expression/require-condition.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { describeType, sameType } from "#policies/expression/value-type.ts";

type Call = Extract<Syntax, { kind: "call" }>;

/** The arguments of a function of objects, each checked as the parameter that it stands for. */
export function checkArguments(
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
  const meant = meantParameters(syntax.arguments, parameters, context);
  return syntax.arguments.slice(0, parameters.length).map((argument, position) => {
    const parameter = meant[position];
    switch (parameter?.kind) {
      case "constant":
        return checkConstant(check(argument), parameter, definition.example, context);
      case "word":
        return check(argument, parameter.type);
      case "key":
        return check(argument);
      default: {
        const condition = check(argument, undefined, scopes[parameter?.of ?? "copies"]);
        requireCondition(condition, context);
        return condition;
      }
    }
  });
}

const scopes = { objects: "object", backends: "backend", copies: "copy" } as const;

/** Which parameter each argument stands for: optional ones that do not fit are passed over. */
function meantParameters(
  values: readonly Syntax[],
  parameters: readonly Parameter[],
  context: CheckContext,
): readonly (Parameter | undefined)[] {
  let next = 0;
  return values.map((value) => {
    const ahead = parameters.slice(next);
    const fitting = ahead.findIndex((parameter, at) => {
      const mayStandHere = ahead.slice(0, at).every(({ optional }) => optional === true);
      return mayStandHere && fits(value, parameter, context);
    });
    next += Math.max(fitting, 0) + 1;
    return ahead[Math.max(fitting, 0)];
  });
}

function fits(value: Syntax, parameter: Parameter, { registry }: CheckContext): boolean {
  if (parameter.kind === "constant" || parameter.kind === "condition") return true;
  if (value.kind !== "name") return false;
  const word = registry.get(value.name);
  if (parameter.kind === "word") {
    const { words } = parameter.type;
    // A word of the other parameters is none that was meant to be one of these.
    const isNear = word === undefined && nearestMatch(value.name, words) !== undefined;
    return words.includes(value.name) || isNear;
  }
  return word?.kind === "attribute" && word.type.kind === "text";
}

function checkConstant(
  value: Expression,
  parameter: Extract<Parameter, { kind: "constant" }>,
  example: string,
  context: CheckContext,
): Expression {
  if (value.type.kind === "unknown") return value;
  const { span } = value;
  if (!parameter.types.some((type) => sameType(value.type, type))) {
    const message = `${parameter.name} must be ${describeTypes(parameter)}`;
    const hint = `found ${describeType(value.type)}`;
    context.report({ code: "E0209", span, message, hint });
  } else if (value.kind !== "literal" || !isConstant(value)) {
    const isNegative = value.kind === "negate";
    const wanted = isNegative ? "is never negative" : "must be written out";
    const hint = isNegative ? "write it without the sign" : "use a literal or a $variable";
    context.report({ code: "E0209", span, message: `${parameter.name} ${wanted}`, hint });
  } else {
    const refusal = parameter.refuse?.(value.value, value.type);
    if (refusal !== undefined) {
      context.report({ code: "E0209", span, message: refusal, hint: `write ${example}` });
    }
  }
  return value;
}

function describeTypes({ types }: Extract<Parameter, { kind: "constant" }>): string {
  return types.map(describeType).join(" or ");
}

function describeParameter(parameter: Parameter): string {
  const optional = parameter.optional === true ? ", optional" : "";
  return `${parameter.name} (${describeKind(parameter)}${optional})`;
}

function describeKind(parameter: Parameter): string {
  switch (parameter.kind) {
    case "constant":
      return describeTypes(parameter);
    case "word":
      return parameter.type.words.join(", ");
    case "key":
      return "an attribute with text";
    default:
      return `a condition over ${parameter.of}`;
  }
}
