import type { ValueFunction } from "#policies/attribute-definition.ts";
import { adopt, comparable } from "#policies/expression/adopt-type.ts";
import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { standsAlone } from "#policies/expression/check-name.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { requireCondition } from "#policies/expression/require-condition.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { describeType, unknownType, type ValueType } from "#policies/expression/value-type.ts";

type Call = Extract<Syntax, { kind: "call" }>;

/** A value computed from others: their number and types must be those that it works with. */
export function checkComputation(
  syntax: Call,
  definition: ValueFunction,
  expected: ValueType | undefined,
  context: CheckContext,
  check: Check,
): Expression {
  const { span } = syntax;
  const { name, parameters, example } = definition;
  if (syntax.arguments.length !== parameters.length) {
    const wanted = parameters.map((one) => `${one.name} (${describe(one.type)})`).join(", ");
    const message = `"${name}" takes ${wanted}`;
    context.report({ code: "E0209", span, message, hint: `write ${example}` });
    return { kind: "literal", type: definition.type ?? unknownType, value: null, span };
  }
  // The type that all values share is that of the first one that means something by itself.
  const telling = tellingPosition(syntax, definition, context);
  const teller = syntax.arguments[telling];
  const told = teller && check(teller, expected);
  const shared = told?.type ?? unknownType;
  const values = syntax.arguments.map((argument, at) => {
    const type = parameters[at]?.type;
    const wanted = type === "same" || type === undefined ? shared : type;
    const given = at === telling && told !== undefined ? told : check(argument, wanted);
    const value = adopt(given, wanted, context);
    if (wanted.kind === "boolean") requireCondition(value, context);
    else if (!comparable(wanted, value.type)) {
      const found = `found ${describeType(value.type)}`;
      const message = `"${name}" takes ${describeType(wanted)} here, ${found}`;
      context.report({ code: "E0204", span: value.span, message, hint: `write ${example}` });
    }
    return value;
  });
  const type = definition.type ?? shared;
  return { kind: "computation", definition, arguments: values, type, span };
}

/** -1 when no value is of a type that all share. */
function tellingPosition(
  syntax: Call,
  { parameters }: ValueFunction,
  context: CheckContext,
): number {
  const shares = syntax.arguments.map((_, at) => parameters[at]?.type === "same");
  const telling = syntax.arguments.findIndex(
    (value, at) => shares[at] === true && value.kind !== "literal" && standsAlone(value, context),
  );
  return telling === -1 ? shares.indexOf(true) : telling;
}

function describe(type: ValueType | "same"): string {
  return type === "same" ? "of the same type" : describeType(type);
}
